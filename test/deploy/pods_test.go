//go:build system

package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/media/s3test"
	"parley/test/process"
)

// Nodes with the settings that Kubernetes gives to pods, with the component tls:
// all show one certificate, which has no address of theirs, and believe each
// other. Who shows none is turned away.
func TestPodsShareACertificate(t *testing.T) {
	top := newTopology(t, nil)
	top.eventstore()
	top.start(top.compose.of("etcd")...)
	top.listens("2379", top.compose.of("etcd")...)
	top.listens("2113", top.compose.of("eventstore")...)
	pods := top.compose.of("parley")[:2] // for their addresses
	bucket := s3test.Start(t)
	certificates := cluster(t, podEnvironment(t)["PARLEY_CLUSTER_TLS_NAME"])
	for _, pod := range pods {
		top.running[pod] = process.Launch(t, process.Config{
			Name: pod, Args: []string{binary, "serve"}, Env: top.pod(pod, bucket, certificates), Again: true, Show: *logs,
		})
	}
	for _, pod := range pods {
		process.Eventually(t, 60*time.Second, pod+" sees the other", func() bool {
			s := &shop{topology: top}
			return s.metric(pod, "parley_cluster_members") == "2"
		})
		conn, err := tls.Dial("tcp", top.names[pod]+":7000", &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, err = conn.Read(make([]byte, 1)) // in TLS 1.3 the refusal comes after the handshake
			_ = conn.Close()
		}
		if err == nil {
			t.Errorf("%s lets in who shows no certificate", pod)
		}
	}
	// Twenty bots, so that both nodes own some; the second asks the first for its own.
	first, second := &shop{topology: top, base: "http://" + top.names[pods[0]] + ":8080"}, &shop{topology: top, base: "http://" + top.names[pods[1]] + ":8080"}
	for range 20 {
		id := first.post("/bot/create", map[string]any{"name": "Ada"})["id"].(string)
		second.post("/bot/"+id+"/update", map[string]any{"name": "Eve"})
	}
	for _, pod := range pods {
		if said := top.running[pod].Output.String(); strings.Contains(said, "handshake") {
			t.Logf("%s complains about whoever showed no certificate: %d lines", pod, strings.Count(said, "handshake"))
		}
		top.running[pod].Terminate()
	}
}

// podEnvironment is what a container has with the component.
func podEnvironment(t *testing.T) map[string]string {
	t.Helper()
	base := find[deployment](t, manifests(t, "kubernetes/base")).Spec.Template.Spec.Containers[0]
	secure := find[deployment](t, manifests(t, "kubernetes/tls")).Spec.Template.Spec.Containers[0]
	return environment(t, container{Env: slices.Concat(base.Env, secure.Env)})
}

// pod gives the environment of a container, with what is on this machine in
// place of its mounts and of the services that it names.
func (top *topology) pod(name string, bucket *s3test.Server, certificates string) (env []string) {
	dir := filepath.Join(top.dir, name)
	here := strings.NewReplacer(
		"10.1.2.3", top.names[name], "0.0.0.0", top.names[name], "etcd://etcd:2379", "etcd://"+top.names["etcd1"]+":2379",
		"/etc/parley/key/master.key", filepath.Join(top.dir, ".parley", "master.key"), "/etc/parley/cluster/", certificates+"/",
	)
	for setting, value := range podEnvironment(top.t) {
		switch setting {
		case "PARLEY_DATA":
			value = dir
		case "PARLEY_EVENTS":
			value = "esdb://" + top.names["eventstore1"] + ":2113?tls=false"
		case "PARLEY_TOKENS":
			value = "default:" + top.secret
		case "PARLEY_MEDIA":
			value = bucket.Address("")
		case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
			value = s3test.Environment()[setting]
		case "OPENAI_API_KEY":
			value = "sk-none"
		}
		env = append(env, setting+"="+here.Replace(value))
	}
	return env
}

// cluster makes what cert-manager makes: an authority, and a certificate for a
// name alone.
func cluster(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	caKey, key := newKey(t), newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "parley cluster"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for file, c := range map[string]struct {
		certificate *x509.Certificate
		key         *ecdsa.PrivateKey
	}{"ca.crt": {ca, caKey}, "tls.crt": {leaf, key}} {
		der, err := x509.CreateCertificate(rand.Reader, c.certificate, ca, &c.key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		write(file, "CERTIFICATE", der)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write("tls.key", "PRIVATE KEY", private)
	return dir
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
