// Package arg turns the text of a command into a typed struct.
package arg
