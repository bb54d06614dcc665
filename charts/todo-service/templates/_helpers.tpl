{{- define "todo-service.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "todo-service.serviceAccount" -}}
{{- default (include "todo-service.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "todo-service.labels" -}}
{{ include "todo-service.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of the pods of all roles. They never change. */}}
{{- define "todo-service.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The roles that run, in order, separated by spaces. */}}
{{- define "todo-service.roles" -}}
{{- if .Values.all.enabled }}all{{ else }}api events{{ end -}}
{{- end -}}

{{/* The role that the users' Service leads to. */}}
{{- define "todo-service.publicRole" -}}
{{- if .Values.all.enabled }}all{{ else }}api{{ end -}}
{{- end -}}

{{/* The name of the workload of a role: dict root role. */}}
{{- define "todo-service.workloadName" -}}
{{- $name := include "todo-service.name" .root -}}
{{- if eq .role "all" }}{{ $name }}{{ else }}{{ printf "%s-%s" $name .role }}{{ end -}}
{{- end -}}

{{/* What a workload has, as YAML: dict root role. */}}
{{- define "todo-service.workload" -}}
{{- mergeOverwrite (deepCopy .root.Values.workload) (deepCopy (get .root.Values .role)) | toYaml -}}
{{- end -}}

{{- define "todo-service.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "todo-service.appTokenSecret" -}}
{{- default (printf "%s-app-token" (include "todo-service.name" .)) .Values.dapr.appTokenSecret -}}
{{- end -}}
{{- define "todo-service.apiTokenSecret" -}}
{{- default (printf "%s-api-token" (include "todo-service.name" .)) .Values.dapr.apiTokenSecret -}}
{{- end -}}

{{/* Seconds that daprd waits for the service to stop: its delay, and twice its drain, after which it exits at once. */}}
{{- define "todo-service.blockSeconds" -}}
{{- add .Values.shutdown.delaySeconds (mul 2 .Values.shutdown.drainSeconds) 5 -}}
{{- end -}}
{{- define "todo-service.gracefulSeconds" -}}
{{- add .Values.shutdown.drainSeconds 5 -}}
{{- end -}}

{{/* The pods of a hook run under the rules of the others. */}}
{{- define "todo-service.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}
{{- define "todo-service.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A Dapr component from its file: dict root file. */}}
{{- define "todo-service.component" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $component := $root.Files.Get (printf "files/components/%s.yaml" .file) | replace "${kafka_brokers}" $values.kafka.brokers | fromYaml -}}
{{- $_ := set $component.metadata "namespace" $root.Release.Namespace -}}
{{- $_ := set $component.metadata "labels" (include "todo-service.labels" $root | fromYaml) -}}
{{- $metadata := list -}}
{{- range $component.spec.metadata -}}
{{- if and (eq .name "authType") (ne $values.kafka.authType "none") -}}
{{- $metadata = concat $metadata (include "todo-service.kafkaAuth" $root | fromYamlArray) -}}
{{- else if and (eq .name "consumerGroup") (eq $component.metadata.name "kafka-pubsub") -}}
{{- $metadata = append $metadata (dict "name" .name "value" $values.kafka.consumerGroup) -}}
{{- else if .secretKeyRef -}}
{{- $metadata = append $metadata (dict "name" .name "secretKeyRef" (dict "name" $values.secret.name "key" $values.secret.databaseUrlEntry)) -}}
{{- else -}}
{{- $metadata = append $metadata . -}}
{{- end -}}
{{- end -}}
{{- $_ := set $component.spec "metadata" $metadata -}}
{{- if and (ne $values.kafka.authType "none") (eq $component.spec.type "pubsub.kafka") -}}
{{- $_ := set $component "auth" (dict "secretStore" "kubernetes-secrets") -}}
{{- end -}}
{{- toYaml $component -}}
{{- end -}}

{{- define "todo-service.kafkaAuth" -}}
{{- $secret := .Values.secret.name -}}
{{- with .Values.kafka -}}
- {name: authType, value: {{ .authType }}}
- {name: saslMechanism, value: {{ .saslMechanism }}}
- {name: saslUsername, secretKeyRef: {name: {{ $secret }}, key: {{ .usernameEntry }}}}
- {name: saslPassword, secretKeyRef: {name: {{ $secret }}, key: {{ .passwordEntry }}}}
{{- if .caEntry }}
- {name: caCert, secretKeyRef: {name: {{ $secret }}, key: {{ .caEntry }}}}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Mistakes that no schema finds. */}}
{{- define "todo-service.check" -}}
{{- $v := .Values -}}
{{- if ne $v.api.enabled $v.events.enabled -}}
{{- fail "api.enabled and events.enabled go together: enable both and disable all, or leave both disabled" -}}
{{- end -}}
{{- if eq $v.all.enabled $v.api.enabled -}}
{{- fail "either all.enabled or both api.enabled and events.enabled must be true, not all of them and not none" -}}
{{- end -}}
{{- if and $v.grpc.expose (not $v.tls.secretName) (not $v.grpc.mesh) -}}
{{- fail "grpc.expose sends tokens over the network: set tls.secretName, or grpc.mesh if a mesh encrypts the traffic" -}}
{{- end -}}
{{- if and $v.auth.issuer $v.auth.issuers -}}
{{- fail "auth.issuer and auth.issuers exclude each other" -}}
{{- end -}}
{{- with $v.auth.oidc -}}
{{- if and (or .issuer .origins) (not .clientId) -}}
{{- fail "auth.oidc.clientId is missing" -}}
{{- end -}}
{{- end -}}
{{- if and $v.auth.jwks $v.auth.jwksUrl -}}
{{- fail "auth.jwks and auth.jwksUrl exclude each other" -}}
{{- end -}}
{{- if and $v.web.ingress.enabled (not $v.web.ingress.host) -}}
{{- fail "web.ingress.host is missing" -}}
{{- end -}}
{{- if and $v.web.httpRoute.enabled (not $v.web.httpRoute.parentRefs) -}}
{{- fail "web.httpRoute.parentRefs is missing: name the gateway" -}}
{{- end -}}
{{- range $role := splitList " " (include "todo-service.roles" .) -}}
{{- $w := include "todo-service.workload" (dict "root" $ "role" $role) | fromYaml -}}
{{- if and $w.autoscaling.enabled $w.keda.enabled -}}
{{- fail (printf "%s: autoscaling and keda exclude each other" $role) -}}
{{- end -}}
{{- if and $w.keda.enabled (eq $role "api") -}}
{{- fail "api.keda: the role api takes no events, so it cannot be scaled on their lag; use api.autoscaling" -}}
{{- end -}}
{{- range $flag := list "role" "app-address" "app-port" "api-address" "api-port" "web-port" "ops-port" "database-url" "drain-timeout" "tls-cert" "tls-key" "auth-issuer" "auth-audience" "auth-jwks-url" "auth-jwks-file" "auth-issuers-file" "oidc-client-id" "oidc-issuer" "oidc-scopes" "oidc-origins" "oidc-parameters" "trace-endpoint" "dev-identity" "pubsub" "broadcast-pubsub" "statestore" "secretstore" "secret" "bus" -}}
{{- if or (hasKey $w.settings $flag) (hasKey $v.settings $flag) -}}
{{- fail (printf "settings.%s: the chart sets this itself, from its other values" $flag) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The spec of a pod that makes or checks the topics: dict root argument. */}}
{{- define "todo-service.topicsPod" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $secret := .root.Values.secret.name -}}
{{- $secured := ne $kafka.authType "none" -}}
{{- $withCa := and $secured $kafka.caEntry -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "todo-service.podSecurity" .root | nindent 2 }}
containers:
  - name: topics
    image: {{ $kafka.topics.image }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command: [sh, -c]
    args:
      - {{ .root.Files.Get "files/topics.sh" | quote }}
      - topics
      - {{ .argument }}
    env:
      - name: TOPICS
        value: |
          task-events {{ $kafka.topics.partitions }} 604800000
          task-updates {{ $kafka.topics.partitions }} 3600000
          task-events-dlq {{ $kafka.topics.partitions }} 604800000
          reminders 1 86400000
          reminders-dlq 1 604800000
      - {name: REPLICAS, value: {{ $kafka.topics.replicationFactor | quote }}}
      - {name: RPK_BROKERS, value: {{ $kafka.brokers | quote }}}
      {{- if $secured }}
      - {name: RPK_TLS_ENABLED, value: "true"}
      - {name: RPK_SASL_MECHANISM, value: {{ get (dict "SHA-256" "SCRAM-SHA-256" "SHA-512" "SCRAM-SHA-512" "PLAIN" "PLAIN") $kafka.saslMechanism }}}
      - name: RPK_USER
        valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $kafka.usernameEntry }}}}
      - name: RPK_PASS
        valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $kafka.passwordEntry }}}}
      {{- if $withCa }}
      - {name: RPK_TLS_CA, value: /etc/kafka/ca.crt}
      {{- end }}
      {{- end }}
    resources:
      requests: {cpu: 50m, memory: 64Mi, ephemeral-storage: 16Mi}
      limits: {cpu: 500m, memory: 256Mi, ephemeral-storage: 64Mi}
    securityContext:
      {{- include "todo-service.containerSecurity" .root | nindent 6 }}
    {{- if $withCa }}
    volumeMounts:
      - {name: ca, mountPath: /etc/kafka, readOnly: true}
    {{- end }}
{{- if $withCa }}
volumes:
  - name: ca
    secret: {secretName: {{ $secret }}, items: [{key: {{ $kafka.caEntry }}, path: ca.crt}]}
{{- end }}
{{- end -}}
