// Package probe finds out what a file is by its content: its media type, the size of its picture, how it is turned, how
// long it plays, what codecs it needs, and whether browsers show it.
//
//	info, err := probe.Read(ctx, f, size)
//
// It reads what it needs, the headers of a file and sometimes its end, and decodes nothing: a film of 1 GiB costs it a
// few KiB. Files come from strangers, so all that is read and all that is looked at is bounded, see [MaxBytes] and
// [MaxSteps].
//
// The parsers are pure Go. What they don't know, ffprobe may, if it is installed and [WithFFprobe] allows it.
package probe
