// Package fence holds the rules for which package may import which, as tests. Arrows point inward only:
//
//	programs and companions (cmd, examples, e2ee, niobottest, release, store)
//	  → niobot
//	    → leaves (arg, render, attachment, internal)
//
// rules_test.go is the table of rules; a failure names the chain of imports that breaks one.
package fence
