// Package attachment turns files into messages that look right in every client, and messages back into files.
//
// An [Attachment] says what to send: a source, such as [Path] or [Bytes], as [Of] its own kind or as an [Image],
// [Audio], [Video], [Voice] or [File] by choice.
//
//	cat := attachment.Of(attachment.Path("cat.jpg"), attachment.Caption("The cat."))
//
// It is a value that may be sent many times, from several goroutines. [Attachment.Prepare] reads the file: its type by
// its content, its size, orientation and duration, a thumbnail and a blurhash. [Prepared.Upload] brings it to the
// server, encrypted where the room is, and gives the content of the message. A [Repository] is the server's side of
// both directions; [Repository.Download] fetches the file of a message, decrypted and checked.
//
// Files are streamed. Apart from pictures that are scaled, no more than 1 MiB of a file is in memory; what has to be
// kept lies in a temporary file that only its owner may read.
package attachment
