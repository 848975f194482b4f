package verify

import (
	"encoding/binary"
	"fmt"
	"strings"

	"rsc.io/qr"

	"maunium.net/go/mautrix/id"
)

// QRMode is what a QR code is for (spec: Client-Server API, "QR codes").
type QRMode byte

const (
	// QRUser verifies another user: the keys are the master key of the one who shows it, and that of the one who scans.
	QRUser QRMode = iota

	// QRTrusting verifies an own device, shown by one that trusts the master key: the keys are the master key, and the
	// key of the device that scans.
	QRTrusting

	// QRUntrusting verifies an own device, shown by one that does not trust the master key yet: the keys are the key of
	// the device that shows it, and the master key.
	QRUntrusting
)

const (
	qrHeader      = "MATRIX\x02"
	qrSecretSize  = 16 // Bytes; of what is made here
	qrLeastSecret = 8
	qrMostSecret  = 255
)

// QR is the content of a verification's QR code.
type QR struct {
	Mode        QRMode
	Transaction string
	Key1, Key2  id.Ed25519 // Unpadded base64, as [QRMode] says
	Secret      []byte     // Proves that the code was scanned. Show it to no one but the other side
}

// ParseQR reads the bytes of a QR code; what is not of a verification is an [ErrPayload].
func ParseQR(payload []byte) (*QR, error) {
	rest, ok := strings.CutPrefix(string(payload), qrHeader)
	if !ok || len(rest) < 3 || rest[0] > byte(QRUntrusting) {
		return nil, ErrPayload
	}
	code := &QR{Mode: QRMode(rest[0])}
	size := int(binary.BigEndian.Uint16([]byte(rest[1:3])))
	rest = rest[3:]
	if size == 0 || size > maxID || len(rest) < size+2*keySize+qrLeastSecret ||
		len(rest) > size+2*keySize+qrMostSecret {
		return nil, ErrPayload
	}
	code.Transaction, rest = rest[:size], rest[size:]
	code.Key1, rest = id.Ed25519(encodeBase64([]byte(rest[:keySize]))), rest[keySize:]
	code.Key2, rest = id.Ed25519(encodeBase64([]byte(rest[:keySize]))), rest[keySize:]
	code.Secret = []byte(rest)
	return code, nil
}

// Payload gives the bytes that the code holds. It is an error where a key is not one, or the transaction too long.
func (q *QR) Payload() ([]byte, error) {
	if len(q.Transaction) == 0 || len(q.Transaction) > maxID || q.Mode > QRUntrusting || len(q.Secret) < qrLeastSecret ||
		len(q.Secret) > qrMostSecret {
		return nil, ErrPayload
	}
	out := append([]byte(qrHeader), byte(q.Mode))
	out = binary.BigEndian.AppendUint16(out, uint16(len(q.Transaction)))
	out = append(out, q.Transaction...)
	for _, key := range []id.Ed25519{q.Key1, q.Key2} {
		b, err := decodeKey(key.String())
		if err != nil {
			return nil, fmt.Errorf("key of a QR code: %w", err)
		}
		out = append(out, b...)
	}
	return append(out, q.Secret...), nil
}

// PNG draws the code, black on white, at 8 pixels a point and with the quiet zone around it.
func (q *QR) PNG() ([]byte, error) {
	code, err := q.draw()
	if err != nil {
		return nil, err
	}
	return code.PNG(), nil
}

// Text draws the code for a terminal, in half blocks: two points of height to a line. What is black on paper is left
// empty, so it is meant for light letters on a dark ground.
func (q *QR) Text() (string, error) {
	code, err := q.draw()
	if err != nil {
		return "", err
	}
	const quiet = 2
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		for x := -quiet; x < code.Size+quiet; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1) || y+1 >= code.Size+quiet; {
			case upper && lower:
				b.WriteByte(' ')
			case upper:
				b.WriteRune('▄')
			case lower:
				b.WriteRune('▀')
			default:
				b.WriteRune('█')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func (q *QR) draw() (*qr.Code, error) {
	payload, err := q.Payload()
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode(string(payload), qr.L)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	return code, nil
}
