// Command injector reads the manifests that helm prints and writes them as JSON, together with the pods that come of
// them: each pod of a workload as Dapr's own injector patches it, with the defaults of Dapr's chart and the dropped
// capabilities that a namespace with the Pod Security level "restricted" asks for.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dapr/dapr/pkg/injector/consts"
	"github.com/dapr/dapr/pkg/injector/patcher"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const controlPlane = "dapr-system"

type workload struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

type result struct {
	Documents []json.RawMessage      `json:"documents"`
	Pods      map[string]*corev1.Pod `json:"pods"` // by the name of their workload
}

func inject(owner workload) (*corev1.Pod, error) {
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: owner.Spec.Template.ObjectMeta,
		Spec:       owner.Spec.Template.Spec,
	}
	pod.Name = owner.Name + "-0"
	pod.Namespace = owner.Namespace
	config := patcher.NewSidecarConfig(pod)
	config.Mode = consts.ModeKubernetes
	config.Namespace = owner.Namespace
	config.MTLSEnabled = true
	config.Identity = owner.Namespace + ":" + pod.Spec.ServiceAccountName
	config.ImagePullPolicy = corev1.PullIfNotPresent
	config.OperatorAddress = "dapr-api." + controlPlane + ".svc.cluster.local:443"
	config.SentryAddress = "dapr-sentry." + controlPlane + ".svc.cluster.local:443"
	config.RunAsNonRoot = true
	config.ReadOnlyRootFilesystem = true
	config.SidecarDropALLCapabilities = true
	config.ControlPlaneNamespace = controlPlane
	config.ControlPlaneTrustDomain = "cluster.local"
	config.KubeClusterDomain = "cluster.local"
	config.SentrySPIFFEID = "spiffe://cluster.local/ns/" + controlPlane + "/dapr-sentry"
	config.SchedulerEnabled = true
	config.SidecarImage = "ghcr.io/dapr/daprd:1.17.5"
	config.SetFromPodAnnotations()
	if !config.NeedsPatching() {
		return nil, nil
	}
	patch, err := config.GetPatch()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", owner.Name, err)
	}
	return patcher.PatchPod(pod, patch)
}

func run(in io.Reader, out io.Writer) error {
	all := result{Documents: []json.RawMessage{}, Pods: map[string]*corev1.Pod{}}
	reader := yamlutil.NewYAMLReader(bufio.NewReader(in))
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		// Strict: a key that stands twice is a mistake.
		document, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return err
		}
		if string(document) == "null" {
			continue
		}
		all.Documents = append(all.Documents, document)
		var owner workload
		if json.Unmarshal(document, &owner) != nil || (owner.Kind != "Deployment" && owner.Kind != "StatefulSet") {
			continue
		}
		pod, err := inject(owner)
		if err != nil {
			return err
		}
		if pod != nil {
			all.Pods[owner.Name] = pod
		}
	}
	return json.NewEncoder(out).Encode(all)
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "injector:", err)
		os.Exit(1)
	}
}
