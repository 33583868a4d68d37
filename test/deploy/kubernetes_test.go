package deploy

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// manifests decodes every document below a directory, by file.
func manifests(t *testing.T, dir string) map[string][]any {
	t.Helper()
	all := map[string][]any{}
	files, err := filepath.Glob(filepath.Join(root, "deploy", dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	for _, file := range files {
		for _, text := range documents(read(t, "deploy", dir, filepath.Base(file))) {
			var head object[yaml.Node]
			if err := yaml.Unmarshal([]byte(text), &head); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			kind := kinds[head.APIVersion+" "+head.Kind]
			if kind == nil {
				t.Fatalf("%s: %s %s is not known", file, head.APIVersion, head.Kind)
			}
			into := kind()
			if err := strictly(text, into); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			all[filepath.Base(file)] = append(all[filepath.Base(file)], into)
		}
	}
	return all
}

// find gives the first document of a type.
func find[Spec any](t *testing.T, all map[string][]any) (found object[Spec]) {
	t.Helper()
	for _, file := range all {
		for _, d := range file {
			if o, ok := d.(*object[Spec]); ok {
				return *o
			}
		}
	}
	t.Fatalf("there is no %T", found)
	return found
}

var literal = regexp.MustCompile(`--from-literal=([A-Z_]+)='?([^'\s]+)'?`)

// environment gives what a container is given: the config map, the secrets that
// the comment has people make, and what the manifest says.
func environment(t *testing.T, c container) map[string]string {
	t.Helper()
	env, text := map[string]string{}, read(t, "deploy", "kubernetes", "base", "kustomization.yaml")
	var k kustomization
	if err := strictly(text, &k); err != nil {
		t.Fatal(err)
	}
	for _, l := range k.ConfigMapGenerator[0].Literals {
		name, value, _ := strings.Cut(l, "=")
		env[name] = value
	}
	for _, l := range literal.FindAllStringSubmatch(text, -1) {
		env[l[1]] = strings.Replace(l[2], "/etc/parley/eventstore/ca.crt", someAuthority(t), 1) // it is read
	}
	for _, e := range c.Env {
		if e.ValueFrom.FieldRef.FieldPath == "status.podIP" {
			e.Value = "10.1.2.3"
		}
		env[e.Name] = strings.ReplaceAll(e.Value, "$(POD_IP)", env["POD_IP"])
	}
	return env
}

// someAuthority writes the certificate of an authority.
func someAuthority(t *testing.T) (path string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	path = filepath.Join(t.TempDir(), "ca.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKubernetes(t *testing.T) {
	all := manifests(t, "kubernetes/base")
	d := find[deployment](t, all)
	p := d.Spec.Template.Spec
	c := p.Containers[0]
	config := accepted(t, "deployment.yaml", environment(t, c))
	for _, mounted := range []string{config.Data, filepath.Dir(config.MasterKeyFile), "/tmp"} {
		if !slices.ContainsFunc(c.VolumeMounts, func(m struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		},
		) bool {
			return m.MountPath == mounted
		}) {
			t.Errorf("nothing is mounted at %s", mounted)
		}
	}
	if config.Cluster.Listen != "10.1.2.3:7000" || config.Cluster.Address != config.Cluster.Listen || !strings.HasSuffix(config.Listen, ":8080") {
		t.Errorf("it listens on %s and %s", config.Listen, config.Cluster.Listen)
	}
	ports := map[string]int{}
	for _, port := range c.Ports {
		ports[port.Name] = port.ContainerPort
	}
	if ports["http"] != 8080 || ports["cluster"] != 7000 {
		t.Errorf("the ports are %v", ports)
	}
	for _, probe := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if probe.HTTPGet.Path != "/healthz" || probe.HTTPGet.Port != "http" {
			t.Errorf("a probe asks %v", probe.HTTPGet)
		}
	}
	if stop := p.TerminationGracePeriodSeconds - c.Lifecycle.PreStop.Sleep.Seconds; stop <= 10 {
		t.Errorf("a node has %d s to stop", stop)
	}
	s := c.SecurityContext
	if !s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) ||
		!p.SecurityContext.RunAsNonRoot || *p.AutomountServiceAccountToken {
		t.Error("a node may do more than it needs")
	}
	if d.Spec.Strategy.RollingUpdate.MaxUnavailable != 0 || find[disruption](t, all).Spec.MaxUnavailable != 1 || d.Spec.Replicas < 3 {
		t.Error("too many nodes may be away at once")
	}
	checkDoors(t, all, d.Metadata.Name)
}

// checkDoors expects that the cluster's port is for nodes alone, and that the
// world sees the API and nothing else.
func checkDoors(t *testing.T, all map[string][]any, name string) {
	t.Helper()
	for _, rule := range find[policy](t, all).Spec.Ingress {
		for _, from := range rule.From {
			node := from.PodSelector.MatchLabels["app.kubernetes.io/name"] == name
			if cluster := rule.Ports[0].Port == "cluster"; len(rule.Ports) != 1 || cluster != node {
				t.Errorf("%v may reach %v", from, rule.Ports)
			}
		}
	}
	if s := find[serviceSpec](t, all); s.Metadata.Name != name || s.Spec.Ports[0].TargetPort != "http" || len(s.Spec.Ports) != 1 {
		t.Errorf("the service is %+v", s)
	}
	i := find[ingress](t, all).Spec
	for _, p := range i.Rules[0].HTTP.Paths {
		if !slices.Contains([]string{"/api/v1", "/v1", "/openapi.json"}, p.Path) || p.Backend.Service.Name != name || p.Backend.Service.Port.Name != "http" {
			t.Errorf("the world sees %+v", p)
		}
	}
	if i.TLS[0].Hosts[0] != i.Rules[0].Host {
		t.Errorf("the certificate is for %v", i.TLS[0].Hosts)
	}
}

// With the component all nodes show one certificate, whose name they expect.
func TestKubernetesWithTLS(t *testing.T) {
	all := manifests(t, "kubernetes/tls")
	patched := find[deployment](t, all).Spec.Template.Spec
	c := patched.Containers[0]
	base := find[deployment](t, manifests(t, "kubernetes/base")).Spec.Template.Spec.Containers[0]
	env := environment(t, container{Env: append(base.Env, c.Env...)})
	env["PARLEY_CLUSTER_LISTEN"] = "203.0.113.1:7000" // a public address is taken only with TLS
	config := accepted(t, "tls", env).Cluster
	var leaf *object[certificate]
	for _, d := range all["certificates.yaml"] {
		if o, ok := d.(*object[certificate]); ok && !o.Spec.IsCA {
			leaf = o
		}
	}
	if !slices.Contains(leaf.Spec.DNSNames, config.CertName) || !slices.Contains(leaf.Spec.Usages, "client auth") || !slices.Contains(leaf.Spec.Usages, "server auth") {
		t.Errorf("the certificate is %+v, and the name %q", leaf.Spec, config.CertName)
	}
	mount := c.VolumeMounts[0]
	if patched.Volumes[0].Secret.SecretName != leaf.Spec.SecretName || patched.Volumes[0].Name != mount.Name {
		t.Errorf("the certificate is in %s, and %+v is mounted", leaf.Spec.SecretName, patched.Volumes[0])
	}
	for _, file := range []string{config.Cert, config.Key, config.CA} {
		if filepath.Dir(file) != mount.MountPath {
			t.Errorf("%s is not mounted", file)
		}
	}
}

// What kustomize makes of it holds together: names with their suffixes, and
// selectors that find the pods.
func TestKustomize(t *testing.T) {
	manifests(t, "kubernetes/example")
	program, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("skipped: there is no kubectl on this machine")
	}
	for _, dir := range []string{"base", "example"} {
		began := time.Now()
		out, err := exec.CommandContext(t.Context(), program, "kustomize", filepath.Join(root, "deploy", "kubernetes", dir)).Output()
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		t.Logf("%s: %d bytes in %v", dir, len(out), time.Since(began).Round(time.Millisecond))
		for _, text := range documents(string(out)) {
			var head object[yaml.Node]
			if err := yaml.Unmarshal([]byte(text), &head); err != nil || head.Metadata.Namespace != "parley" {
				t.Errorf("%s %s is in %q: %v", head.Kind, head.Metadata.Name, head.Metadata.Namespace, err)
			}
			if head.Kind != "Deployment" {
				continue
			}
			var d object[deployment]
			if err := strictly(text, &d); err != nil {
				t.Error(err)
			}
			image := d.Spec.Template.Spec.Containers[0].Image
			if d.Spec.Selector.MatchLabels["app.kubernetes.io/name"] != "parley" || !strings.Contains(image, "/parley:") {
				t.Errorf("%v select %s", d.Spec.Selector, image)
			}
		}
	}
}
