// Command image builds the service's container image with ko into an OCI layout,
// without Docker and without a registry.
//
// The base is made here and holds what deploy/Dockerfile's last stage holds
// besides the binary: the root certificates, a user that is not root, a health
// check. The certificates are those of golang.org/x/crypto/x509roots, pinned in
// go.sum like everything else, so that the same commit and the same Go give the
// same image on every machine. ko takes its base from a registry alone, so for
// the time of the build one listens on loopback.
//
//	go -C tools run ./image -version 1.2.3 -revision $(git rev-parse HEAD) -to ../bin/image
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user that distroless images call so.
const nonroot = 65532

func main() {
	version := flag.String("version", "unknown", "what `api version` says")
	revision := flag.String("revision", "unknown", "the commit")
	platform := flag.String("platform", "linux/amd64", "os/arch")
	to := flag.String("to", "../bin/image", "the folder of the OCI layout; it is replaced")
	flag.Parse()
	if err := build(context.Background(), *version, *revision, *platform, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, version, revision, platform, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	built, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(built) }()
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return err
	}
	image, err := base(p)
	if err != nil {
		return err
	}
	err = serve(image, func(reference string) error {
		ko := exec.CommandContext(ctx, "go", "tool", "ko", "build", "mfa-enrollment/cmd/api",
			"--push=false", "--oci-layout-path="+built, "--sbom=none", "--platform="+platform,
			"--image-label=org.opencontainers.image.title=mfa-enrollment",
			"--image-label=org.opencontainers.image.description=Sets up authenticator apps for people in Amazon Cognito user pools",
			"--image-label=org.opencontainers.image.version="+version,
			"--image-label=org.opencontainers.image.revision="+revision)
		ko.Env = append(os.Environ(),
			"KO_CONFIG_PATH=ko.yaml", "KO_DOCKER_REPO=mfa-enrollment", "KO_DEFAULTBASEIMAGE="+reference,
			"VERSION="+version, "SOURCE_DATE_EPOCH=0", "CGO_ENABLED=0")
		ko.Stderr = os.Stderr
		return ko.Run()
	})
	if err != nil {
		return err
	}
	return publish(built, to)
}

// publish writes the layout that ko made to its place. ko notes where the base
// came from, which is another port each time; that alone would make every image
// another one.
func publish(from, to string) error {
	index, err := layout.ImageIndexFromPath(from)
	if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != 1 {
		return fmt.Errorf("ko made %d images", len(manifest.Manifests))
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		return err
	}
	image, _ = mutate.Annotations(image, map[string]string{"org.opencontainers.image.base.name": "mfa-enrollment/base"}).(v1.Image)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	path, err := layout.Write(to, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendImage(image); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	fmt.Printf("%s@%s\n", to, digest)
	return nil
}

// base is the image without the binary.
func base(p *v1.Platform) (v1.Image, error) {
	content, err := files()
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant = p.OS, p.Architecture, p.Variant
	file.Config.User = fmt.Sprintf("%d:%d", nonroot, nonroot)
	file.Config.WorkingDir = "/"
	file.Config.ExposedPorts = map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}}
	file.Config.Env = []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}
	file.Config.Healthcheck = &v1.HealthConfig{
		Test: []string{"CMD", "/api", "healthcheck"}, Interval: 10 * time.Second, Timeout: 3 * time.Second, StartPeriod: 5 * time.Second,
	}
	return mutate.ConfigFile(image, file)
}

// files is the base's one layer: the root certificates, the user's name, and /api,
// the binary's path in the Dockerfile's image. ko puts it elsewhere, and health
// checks, such as the AWS template's, must find it in either image.
func files() ([]byte, error) {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		// A root that is trusted for some certificates only cannot be said in a
		// PEM file. None of these signs for AWS.
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, dir := range []string{"etc/", "etc/ssl/", "etc/ssl/certs/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"etc/passwd", fmt.Appendf(nil, "nonroot:x:%d:%d::/:/sbin/nologin\n", nonroot, nonroot)},
		{"etc/group", fmt.Appendf(nil, "nonroot:x:%d:\n", nonroot)},
		{"etc/ssl/certs/ca-certificates.crt", roots.Bytes()},
	} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "api", Linkname: "ko-app/api", Mode: 0o755}); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil { // which writes the end of the archive
		return nil, err
	}
	return archive.Bytes(), nil
}

// serve keeps the image in a registry on loopback while use runs with its
// reference.
func serve(image v1.Image, use func(reference string) error) error {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(socket) }()
	defer func() { _ = server.Close() }()
	tag, err := name.NewTag(socket.Addr().String() + "/base:latest")
	if err != nil {
		return err
	}
	if err := remote.Write(tag, image); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return errors.Join(errors.New("the base has no digest"), err)
	}
	return use(tag.Digest(digest.String()).String())
}
