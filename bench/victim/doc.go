// Package victim is a bot that is made to be killed: a niobot bot as a process of its own, with commands of known answers,
// and the handle by which another process starts, kills and watches it.
package victim
