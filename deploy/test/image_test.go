package deploytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layout is an OCI image layout of one image (image-spec, "Image Layout").
type layout struct {
	t    *testing.T
	path string
}

func (l layout) blob(digest string, into any) {
	l.t.Helper()
	if err := json.Unmarshal(l.bytes(digest), into); err != nil {
		l.t.Fatal(err)
	}
}

func (l layout) bytes(digest string) []byte {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(l.path, "blobs", strings.Replace(digest, ":", "/", 1)))
	if err != nil {
		l.t.Fatal(err)
	}
	return content
}

type descriptor struct{ Digest string }

// config is the image's configuration (image-spec, "Image Configuration").
type config struct {
	Created string
	Config  struct {
		User        string
		Entrypoint  []string
		Labels      map[string]string
		Healthcheck struct{ Test []string }
	}
}

// open reads the image's configuration and all its files.
func (l layout) open() (config, map[string]*tar.Header, map[string][]byte) {
	l.t.Helper()
	var index struct{ Manifests []descriptor }
	content, err := os.ReadFile(filepath.Join(l.path, "index.json"))
	if err != nil {
		l.t.Fatal(err)
	}
	if err := json.Unmarshal(content, &index); err != nil || len(index.Manifests) != 1 {
		l.t.Fatalf("%d images, want 1: %v", len(index.Manifests), err)
	}
	l.t.Log("image", index.Manifests[0].Digest)
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	l.blob(index.Manifests[0].Digest, &manifest)
	var c config
	l.blob(manifest.Config.Digest, &c)
	headers, files := map[string]*tar.Header{}, map[string][]byte{}
	for _, layer := range manifest.Layers {
		unzipped, err := gzip.NewReader(bytes.NewReader(l.bytes(layer.Digest)))
		if err != nil {
			l.t.Fatal(err)
		}
		for archive := tar.NewReader(unzipped); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				l.t.Fatal(err)
			}
			name := "/" + strings.Trim(header.Name, "/")
			headers[name] = header
			if files[name], err = io.ReadAll(archive); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	return c, headers, files
}

// TestImageHoldsTheServiceAndNothingElse looks at what `make image` made.
func TestImageHoldsTheServiceAndNothingElse(t *testing.T) {
	path := os.Getenv("IMAGE")
	if path == "" {
		t.Skip("there is no image to look at: make image")
	}
	c, headers, files := layout{t, path}.open()
	if c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/ko-app/api"}) {
		t.Errorf("it runs %v as %s", c.Config.Entrypoint, c.Config.User)
	}
	if !slices.Equal(c.Config.Healthcheck.Test, []string{"CMD", "/api", "healthcheck"}) || headers["/api"] == nil || headers["/api"].Linkname != "ko-app/api" {
		t.Errorf("its health check is %v", c.Config.Healthcheck.Test)
	}
	for _, label := range []string{"title", "description", "version", "revision"} {
		if c.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("there is no label %s in %v", label, c.Config.Labels)
		}
	}
	if !strings.HasPrefix(c.Created, "1970-01-01T00:00:00") {
		t.Errorf("it says when it was made, %s, and so differs each time", c.Created)
	}

	var regular []string
	for name, header := range headers {
		if header.Typeflag == tar.TypeReg {
			regular = append(regular, name)
		}
		if header.FileInfo().Mode().Perm()&0o022 != 0 {
			t.Errorf("%s can be written by others", name)
		}
	}
	slices.Sort(regular)
	if want := []string{"/etc/group", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/ko-app/api"}; !slices.Equal(regular, want) {
		t.Errorf("it holds %v, want %v", regular, want)
	}
	if roots := bytes.Count(files["/etc/ssl/certs/ca-certificates.crt"], []byte("BEGIN CERTIFICATE")); roots < 50 {
		t.Errorf("%d root certificates", roots)
	}

	binary := filepath.Join(t.TempDir(), "api")
	if err := os.WriteFile(binary, files["/ko-app/api"], 0o700); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), binary, "version").CombinedOutput()
	if err != nil || !strings.Contains(string(output), c.Config.Labels["org.opencontainers.image.version"]) {
		t.Errorf("api version: %v: %s", err, output)
	}
	t.Logf("%s, %d bytes", bytes.TrimSpace(output), len(files["/ko-app/api"]))
}

// The Dockerfile itself needs a daemon and a registry, which tests have not. What
// can be wrong without them is that its context lacks a package or a file that
// one embeds.
func TestDockerfilesContextHoldsEveryPackageAndFile(t *testing.T) {
	context := t.TempDir()
	copied := 0
	for line := range strings.Lines(read(t, "../Dockerfile.dockerignore")) {
		path, kept := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !kept {
			continue
		}
		err := filepath.WalkDir(filepath.Join(root, path), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/testdata/") {
				return err
			}
			relative, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			target := filepath.Join(context, relative)
			if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
				return err
			}
			copied++
			return os.WriteFile(target, []byte(read(t, file)), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", "./cmd/api")
	cmd.Dir = context
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%d files were copied: %v\n%s", copied, err, output)
	}
	packages := map[string]bool{}
	for _, p := range strings.Fields(string(output)) {
		packages[p] = true
	}
	if !packages["mfa-enrollment/app"] {
		t.Errorf("it is made of %v", slices.Sorted(maps.Keys(packages)))
	}
}
