package deploy

// The manifests as far as they are used. A field that is not here is refused,
// and so are those with mistakes in their names.
type meta struct {
	Name        string
	Namespace   string
	Annotations map[string]string
	Labels      map[string]string
}

type object[Spec any] struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   meta
	Spec       Spec
}

type labels struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type deployment struct {
	Replicas int
	Selector labels
	Strategy struct {
		Type          string
		RollingUpdate struct {
			MaxSurge       int `yaml:"maxSurge"`
			MaxUnavailable int `yaml:"maxUnavailable"`
		} `yaml:"rollingUpdate"`
	}
	Template struct {
		Metadata meta
		Spec     pod
	}
}

type pod struct {
	AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot        bool              `yaml:"runAsNonRoot"`
		RunAsUser           int               `yaml:"runAsUser"`
		RunAsGroup          int               `yaml:"runAsGroup"`
		FSGroup             int               `yaml:"fsGroup"`
		FSGroupChangePolicy string            `yaml:"fsGroupChangePolicy"`
		SeccompProfile      map[string]string `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	TopologySpreadConstraints []struct {
		MaxSkew           int    `yaml:"maxSkew"`
		TopologyKey       string `yaml:"topologyKey"`
		WhenUnsatisfiable string `yaml:"whenUnsatisfiable"`
		LabelSelector     labels `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	Containers []container
	Volumes    []struct {
		Name     string
		EmptyDir *struct{} `yaml:"emptyDir"`
		Secret   *struct {
			SecretName  string `yaml:"secretName"`
			DefaultMode int    `yaml:"defaultMode"`
		}
		ConfigMap *struct {
			Name     string
			Optional bool
		} `yaml:"configMap"`
	}
}

type container struct {
	Name, Image string
	Args        []string
	EnvFrom     []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
		SecretRef    struct{ Name string } `yaml:"secretRef"`
	} `yaml:"envFrom"`
	Env []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe   probe `yaml:"startupProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

// The other kinds.
type (
	disruption struct {
		MaxUnavailable int `yaml:"maxUnavailable"`
		Selector       labels
	}
	serviceSpec struct {
		Selector map[string]string
		Ports    []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
	}
	policy struct {
		PodSelector labels   `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct {
			From []struct {
				PodSelector       labels `yaml:"podSelector"`
				NamespaceSelector labels `yaml:"namespaceSelector"`
			}
			Ports []struct{ Protocol, Port string }
		}
	}
	ingress struct {
		Rules []struct {
			Host string
			HTTP struct {
				Paths []struct {
					Path     string
					PathType string `yaml:"pathType"`
					Backend  struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
		TLS []struct {
			Hosts      []string
			SecretName string `yaml:"secretName"`
		}
	}
	issuer struct {
		SelfSigned *struct{}         `yaml:"selfSigned"`
		CA         map[string]string `yaml:"ca"`
	}
	certificate struct {
		IsCA       bool   `yaml:"isCA"`
		CommonName string `yaml:"commonName"`
		SecretName string `yaml:"secretName"`
		Duration   string
		DNSNames   []string `yaml:"dnsNames"`
		Usages     []string
		PrivateKey struct {
			Algorithm      string
			Size           int
			RotationPolicy string `yaml:"rotationPolicy"`
		} `yaml:"privateKey"`
		IssuerRef struct{ Name, Kind string } `yaml:"issuerRef"`
	}
	monitor struct {
		Selector  labels
		Endpoints []struct {
			Port, Path, Interval string
			ScrapeTimeout        string `yaml:"scrapeTimeout"`
		}
	}
	kustomization struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Namespace  string
		Resources  []string
		Components []string
		Patches    []struct{ Path string }
		Images     []struct {
			Name    string
			NewName string `yaml:"newName"`
			NewTag  string `yaml:"newTag"`
		}
		ConfigMapGenerator []struct {
			Name            string
			Literals, Files []string
			Options         struct {
				DisableNameSuffixHash bool `yaml:"disableNameSuffixHash"`
				Labels                map[string]string
			}
		} `yaml:"configMapGenerator"`
		Labels []struct {
			Pairs            map[string]string
			IncludeSelectors bool `yaml:"includeSelectors"`
			IncludeTemplates bool `yaml:"includeTemplates"`
		}
	}
)

// kinds gives a value that a document of a kind fits into.
var kinds = map[string]func() any{
	"apps/v1 Deployment":                            func() any { return &object[deployment]{} },
	"policy/v1 PodDisruptionBudget":                 func() any { return &object[disruption]{} },
	"v1 Service":                                    func() any { return &object[serviceSpec]{} },
	"networking.k8s.io/v1 NetworkPolicy":            func() any { return &object[policy]{} },
	"networking.k8s.io/v1 Ingress":                  func() any { return &object[ingress]{} },
	"cert-manager.io/v1 Issuer":                     func() any { return &object[issuer]{} },
	"cert-manager.io/v1 Certificate":                func() any { return &object[certificate]{} },
	"monitoring.coreos.com/v1 ServiceMonitor":       func() any { return &object[monitor]{} },
	"monitoring.coreos.com/v1 PrometheusRule":       func() any { return &object[rules]{} },
	"kustomize.config.k8s.io/v1beta1 Kustomization": func() any { return &kustomization{} },
	"kustomize.config.k8s.io/v1alpha1 Component":    func() any { return &kustomization{} },
}
