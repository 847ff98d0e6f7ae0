package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTimeout bounds the wait for a process to answer.
const startTimeout = 10 * time.Second

// program is a binary and the environment that it runs in. {addr} in a value
// becomes a free address.
type program struct {
	path  string
	env   []string
	ready string // the path that answers 200 when it takes requests
	admin string // names the variable whose address has that path; empty: ADDR
}

// build compiles a package as a release is compiled.
func build(ctx context.Context, folder, pkg, to string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "grpcnotrace", "-ldflags", "-s -w", "-o", to, pkg)
	c.Dir, c.Env, c.Stderr = folder, append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	return c.Run()
}

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	addr  string
	admin string
	took  time.Duration // from exec to ready
}

// start runs a program and waits until it is ready. Its standard output, the
// log, goes to /dev/null.
func (p program) start(ctx context.Context) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	run := &process{addr: addr, admin: addr}
	env := append(p.env, "ADDR="+addr, "PATH="+os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true")
	if p.admin != "" {
		if run.admin, err = freeAddr(); err != nil {
			return nil, err
		}
		env = append(env, p.admin+"="+run.admin)
	}
	run.cmd = exec.CommandContext(ctx, p.path)
	run.cmd.Env, run.cmd.Stderr = env, os.Stderr
	begin := time.Now()
	if err := run.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitReady(ctx, "http://"+run.admin+p.ready); err != nil {
		run.stop()
		return nil, fmt.Errorf("%s: %w", filepath.Base(p.path), err)
	}
	run.took = time.Since(begin)
	return run, nil
}

// freeAddr is an address that nobody listens on at the moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// awaitReady asks once in half a millisecond.
func awaitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if reply, err := http.DefaultClient.Do(r); err == nil {
			_ = reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s", startTimeout)
		case <-time.After(500 * time.Microsecond):
		}
	}
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// ticks is the kernel's unit in /proc/PID/stat: USER_HZ, 100 on Linux.
const ticks = 100

// cpu is the time that the process has spent on a processor so far, in user and
// kernel mode (proc(5): utime and stime, to 10 ms).
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name may hold spaces, so fields are counted from its closing bracket.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	kernel, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/PID/stat cannot be read: %q", text)
	}
	return time.Duration(user+kernel) * time.Second / ticks, nil
}

// peakRSS is the most memory that the process has had in RAM, in MiB (proc(5):
// VmHWM).
func (p *process) peakRSS() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	return float64(kib) / 1024, err
}
