// Goverify checks what a Telecare log publishes with code that is not ours: golang.org/x/mod/sumdb.
//
//	goverify FOLDER    with log.vkey witness.vkey checkpoint checkpoint.old proofs.json tile/…
//
// TileHashReader of x/mod 0.7 leaves some tiles unauthenticated (it starts after the tiles it was
// asked for, though some of these were merged), so the whole tree is grown again from the leaves.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must(what string, err error) {
	if err != nil {
		fmt.Println("REFUSED", what+":", err)
		os.Exit(1)
	}
}

func refuse(what string) { must(what, fmt.Errorf("another")) }

func read(name string) []byte {
	content, err := os.ReadFile(filepath.Join(os.Args[1], name))
	must(name, err)
	return content
}

// cosigner is a note.Verifier of C2SP tlog-cosignature's cosignature/v1.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	said := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, msg)
	return ed25519.Verify(c.key, []byte(said), sig[8:])
}

func witness(vkey string) *cosigner {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 {
		refuse("witness.vkey")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must("witness.vkey", err)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if len(key) != 33 || key[0] != 4 || fmt.Sprintf("%x", sum[:4]) != parts[1] {
		refuse("witness.vkey")
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}
}

// head opens a checkpoint that all of the verifiers must have signed.
func head(name string, known ...note.Verifier) tlog.Tree {
	opened, err := note.Open(read(name), note.VerifierList(known...))
	must(name, err)
	if len(opened.Sigs) != len(known) {
		refuse(name + " signatures")
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != known[0].Name() {
		refuse(name + " origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(name, err)
	root, err := tlog.ParseHash(lines[2])
	must(name, err)
	return tlog.Tree{N: size, Hash: root}
}

func tilePath(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

type served struct{}

func (served) Height() int                             { return height }
func (served) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}
func (served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		found = append(found, read(tilePath(tile)))
	}
	return found, nil
}

// grown is every hash of the tree, made from the lowest tiles alone.
func grown(size int64) tlog.HashReader {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for n := int64(0); n < size; n++ {
		tile := tlog.Tile{H: height, L: 0, N: n >> height, W: 1 << height}
		if (tile.N+1)<<height > size {
			tile.W = int(size & (1<<height - 1))
		}
		var leaf tlog.Hash
		at := int(n&(1<<height-1)) * tlog.HashSize
		copy(leaf[:], read(tilePath(tile))[at:])
		more, err := tlog.StoredHashesForRecordHash(n, leaf, reader)
		must("growing", err)
		stored = append(stored, more...)
	}
	return reader
}

type proofs struct {
	Old     []tlog.Hash
	Records []struct {
		Index int64
		Entry []byte
		Proof []tlog.Hash
	}
}

func main() {
	log, err := note.NewVerifier(strings.TrimSpace(string(read("log.vkey"))))
	must("log.vkey", err)
	seen := witness(string(read("witness.vkey")))
	tree, old := head("checkpoint", log, seen), head("checkpoint.old", log, seen)
	fmt.Println("OK", tree.N, "records signed by the log and its witness; before that", old.N)

	again := grown(tree.N)
	root, err := tlog.TreeHash(tree.N, again)
	must("tree", err)
	if root != tree.Hash {
		refuse("tree")
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		held := tree.N>>(height*tile.L) - tile.N<<height
		if tile.W < 1<<height && int64(tile.W) != held {
			continue // a width that the tile had on the way
		}
		content, err := tlog.ReadTileData(tile, again)
		must("tile", err)
		if !bytes.Equal(content, read(tilePath(tile))) {
			refuse(tilePath(tile))
		}
	}
	fmt.Println("OK tiles: grown again from the leaves")

	var ours proofs
	must("proofs.json", json.Unmarshal(read("proofs.json"), &ours))
	tiles := tlog.TileHashReader(tree, served{})
	for _, record := range ours.Records {
		leaf := tlog.RecordHash(record.Entry)
		must("record", tlog.CheckRecord(record.Proof, tree.N, tree.Hash, record.Index, leaf))
		derived, err := tlog.ProveRecord(tree.N, record.Index, tiles)
		must("record", err)
		must("record", tlog.CheckRecord(derived, tree.N, tree.Hash, record.Index, leaf))
		if fmt.Sprint(derived) != fmt.Sprint(tlog.RecordProof(record.Proof)) {
			refuse("proof")
		}
	}
	fmt.Println("OK", len(ours.Records), "records and their proofs")

	must("consistency", tlog.CheckTree(ours.Old, tree.N, tree.Hash, old.N, old.Hash))
	derived, err := tlog.ProveTree(tree.N, old.N, tiles)
	must("consistency", err)
	must("consistency", tlog.CheckTree(derived, tree.N, tree.Hash, old.N, old.Hash))
	fmt.Println("OK consistency")
}
