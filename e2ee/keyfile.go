//go:build goolm

package e2ee

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/id"
)

// The format of exports (spec: Client-Server API, "Key exports"): between the two lines, in Base64, a version, the
// salt, the initial counter and the number of rounds, then the ciphertext, then the MAC of all that.
const (
	keyFileBegin  = "-----BEGIN MEGOLM SESSION DATA-----"
	keyFileEnd    = "-----END MEGOLM SESSION DATA-----"
	keyFileLine   = 76
	keyFileHeader = 1 + 16 + 16 + 4
	keyFileMAC    = sha256.Size
	keyFileRounds = 500_000

	maxKeyFile = 256 << 20 // Bytes
	maxRounds  = 10_000_000
)

// Export writes the keys of all rooms, encrypted with the passphrase, in the format that clients import. It returns how
// many sessions these are. It holds them in memory: about 1 kB each.
func (e *Encryption) Export(ctx context.Context, w io.Writer, passphrase string) (int, error) {
	g, err := e.running()
	if err != nil {
		return 0, err
	}
	if passphrase == "" {
		return 0, errors.New("export keys: the passphrase is empty")
	}
	exported := []crypto.ExportedSession{}
	err = g.store.GetAllGroupSessions(ctx).Iter(func(session *crypto.InboundGroupSession) (bool, error) {
		key, err := session.Internal.Export(session.Internal.FirstKnownIndex())
		if err != nil {
			return false, err
		}
		exported = append(exported, crypto.ExportedSession{
			Algorithm: id.AlgorithmMegolmV1, RoomID: session.RoomID, SenderKey: session.SenderKey,
			SenderClaimedKeys: crypto.SenderClaimedKeys{Ed25519: session.SigningKey},
			SessionID:         session.ID(), SessionKey: string(key),
			ForwardingChains: &session.ForwardingChains, SharedHistory: session.SharedHistory,
		})
		return true, nil
	})
	if err != nil {
		return 0, fmt.Errorf("export keys: %w", err)
	}
	text, err := json.Marshal(exported)
	if err != nil {
		return 0, fmt.Errorf("export keys: %w", err)
	}
	sealed, err := sealKeyFile(text, passphrase)
	if err != nil {
		return 0, fmt.Errorf("export keys: %w", err)
	}
	if err := writeKeyFile(w, sealed); err != nil {
		return 0, fmt.Errorf("export keys: %w", err)
	}
	return len(exported), nil
}

// Import reads keys that a client, or Export, has exported with the passphrase. It returns how many sessions were
// taken and how many there were; those that are not valid are left out. What is read with them is of unknown origin.
// Errors are [ErrNotKeyFile] and [ErrPassphraseWrong], wrapped, and those of r and of the database.
func (e *Encryption) Import(ctx context.Context, r io.Reader, passphrase string) (imported, total int, err error) {
	g, err := e.running()
	if err != nil {
		return 0, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxKeyFile+1))
	if err != nil {
		return 0, 0, fmt.Errorf("import keys: %w", err)
	}
	text, err := openKeyFile(data, passphrase)
	if err != nil {
		return 0, 0, fmt.Errorf("import keys: %w", err)
	}
	var sessions []crypto.ExportedSession
	if err := json.Unmarshal(text, &sessions); err != nil {
		return 0, 0, fmt.Errorf("import keys: what is inside is not valid: %w", err)
	}
	for i := range sessions {
		if err := ctx.Err(); err != nil {
			return imported, len(sessions), fmt.Errorf("import keys: %w", err)
		}
		session, err := importable(&sessions[i])
		if err != nil {
			g.log.Warn("a key in the export is not valid", "room_id", sessions[i].RoomID, "err", err)
			continue
		}
		err = g.mach.StoreGroupSession(g.machineContext(ctx), session)
		if errors.Is(err, errOtherRoom) {
			g.log.Warn("a key in the export is not valid", "room_id", sessions[i].RoomID, "err", err)
			continue
		} else if err != nil {
			return imported, len(sessions), fmt.Errorf("import keys: %w", err)
		}
		imported++
	}
	return imported, len(sessions), nil
}

// importable makes a session of one that was exported.
func importable(exported *crypto.ExportedSession) (session *crypto.InboundGroupSession, err error) {
	err = guarded(func() error {
		if exported.Algorithm != id.AlgorithmMegolmV1 || exported.RoomID == "" {
			return fmt.Errorf("its algorithm is %q", exported.Algorithm)
		}
		internal, err := olm.InboundGroupSessionImport([]byte(exported.SessionKey))
		if err != nil {
			return err
		}
		if internal.ID() != exported.SessionID {
			return errors.New("its key is another session's")
		}
		session = &crypto.InboundGroupSession{
			Internal: internal, SigningKey: exported.SenderClaimedKeys.Ed25519, SenderKey: exported.SenderKey,
			RoomID: exported.RoomID, SharedHistory: exported.SharedHistory,
			KeySource: id.KeySourceImport, ReceivedAt: time.Now().UTC(),
		}
		if exported.ForwardingChains != nil {
			session.ForwardingChains = *exported.ForwardingChains
		}
		return nil
	})
	return session, err
}

func keyFileKeys(passphrase string, salt []byte, rounds int) (cipherKey, macKey []byte, err error) {
	key, err := pbkdf2.Key(sha512.New, passphrase, salt, rounds, 64)
	if err != nil {
		return nil, nil, err
	}
	return key[:32], key[32:], nil
}

func sealKeyFile(text []byte, passphrase string) ([]byte, error) {
	header := make([]byte, keyFileHeader, keyFileHeader+len(text)+keyFileMAC)
	header[0] = 1
	salt, counter := header[1:17], header[17:33]
	_, _ = rand.Read(header[1:33]) // never fails
	counter[8] &= 0x7f             // bit 63 of the counter is zero, for implementations with a signed one
	binary.BigEndian.PutUint32(header[33:], keyFileRounds)
	cipherKey, macKey, err := keyFileKeys(passphrase, salt, keyFileRounds)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(cipherKey)
	if err != nil {
		return nil, err
	}
	sealed := header[:keyFileHeader+len(text)]
	cipher.NewCTR(block, counter).XORKeyStream(sealed[keyFileHeader:], text)
	mac := hmac.New(sha256.New, macKey)
	mac.Write(sealed)
	return mac.Sum(sealed), nil
}

func writeKeyFile(w io.Writer, sealed []byte) error {
	var out bytes.Buffer
	out.WriteString(keyFileBegin + "\n")
	encoded := base64.StdEncoding.EncodeToString(sealed)
	for len(encoded) > 0 {
		n := min(keyFileLine, len(encoded))
		out.WriteString(encoded[:n] + "\n")
		encoded = encoded[n:]
	}
	out.WriteString(keyFileEnd + "\n")
	_, err := w.Write(out.Bytes())
	return err
}

// openKeyFile checks and decrypts an export. It takes what editors and mail do to a file: other line ends, spaces,
// lines before and after, Base64 without padding.
func openKeyFile(data []byte, passphrase string) ([]byte, error) {
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ErrNotKeyFile, maxKeyFile)
	}
	_, rest, ok := bytes.Cut(data, []byte(keyFileBegin))
	if !ok {
		return nil, fmt.Errorf("what was given %w", ErrNotKeyFile)
	}
	body, _, ok := bytes.Cut(rest, []byte(keyFileEnd))
	if !ok {
		return nil, fmt.Errorf("what was given %w: its last line is missing", ErrNotKeyFile)
	}
	body = bytes.TrimRight(bytes.Join(bytes.Fields(body), nil), "=")
	sealed := make([]byte, base64.RawStdEncoding.DecodedLen(len(body)))
	n, err := base64.RawStdEncoding.Decode(sealed, body)
	if err != nil {
		return nil, fmt.Errorf("what was given %w: %w", ErrNotKeyFile, err)
	}
	sealed = sealed[:n]
	if len(sealed) < keyFileHeader+keyFileMAC || sealed[0] != 1 {
		return nil, fmt.Errorf("what was given %w of version 1", ErrNotKeyFile)
	}
	rounds := binary.BigEndian.Uint32(sealed[33:37])
	if rounds == 0 || rounds > maxRounds {
		return nil, fmt.Errorf("what was given %w: %d rounds", ErrNotKeyFile, rounds)
	}
	cipherKey, macKey, err := keyFileKeys(passphrase, sealed[1:17], int(rounds))
	if err != nil {
		return nil, err
	}
	covered, given := sealed[:len(sealed)-keyFileMAC], sealed[len(sealed)-keyFileMAC:]
	mac := hmac.New(sha256.New, macKey)
	mac.Write(covered)
	if !hmac.Equal(mac.Sum(nil), given) {
		return nil, ErrPassphraseWrong
	}
	block, err := aes.NewCipher(cipherKey)
	if err != nil {
		return nil, err
	}
	text := make([]byte, len(covered)-keyFileHeader)
	cipher.NewCTR(block, sealed[17:33]).XORKeyStream(text, covered[keyFileHeader:])
	return text, nil
}
