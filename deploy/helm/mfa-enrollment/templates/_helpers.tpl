{{- define "mfa.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 57 | trimSuffix "-" -}}
{{- end -}}

{{- define "mfa.fullname" -}}
{{- $name := include "mfa.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 57 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 57 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 57 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* The name is the job that the rules and the dashboard read: no override changes it. */ -}}
{{- define "mfa.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mfa.labels" -}}
{{ include "mfa.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mfa.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mfa.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mfa.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The quota that one replica may spend: all of it where Redis shares it. Without Redis
an equal part, with the one more that a roll-out runs, and cut, not rounded, so that
the parts never add up to more than the quota.
*/ -}}
{{- define "mfa.writeRPS" -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- if .Values.secrets.redisURL.name -}}
{{- .Values.config.cognitoWriteRPS -}}
{{- else -}}
{{- $share := divf (floor (mulf 1000 (divf .Values.config.cognitoWriteRPS (add 1 $replicas)))) 1000 -}}
{{- if lt $share 1.0 -}}
{{- fail (printf "config.cognitoWriteRPS: without secrets.redisURL each of %d replicas, and one more during a roll-out, gets less than one call a second; run fewer, or share the quota through Redis" (int $replicas)) -}}
{{- end -}}
{{- $share -}}
{{- end -}}
{{- end -}}

{{/*
Nine tenths of the container's memory limit, in MiB, so that the process collects
garbage before it is ended. Empty where the limit is not in Mi or Gi.
*/}}
{{- define "mfa.goMemLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if hasSuffix "Mi" $limit -}}
{{- div (mul (trimSuffix "Mi" $limit | int) 9) 10 }}MiB
{{- else if hasSuffix "Gi" $limit -}}
{{- div (mul (trimSuffix "Gi" $limit | int) 9216) 10 }}MiB
{{- end -}}
{{- end -}}

{{- /* The Secrets that are mounted, each with the variable that names its file. */ -}}
{{- define "mfa.mounted" -}}
{{- $mounted := list -}}
{{- range list
      (dict "env" "COGNITO_CLIENT_SECRETS_FILE" "file" "client-secrets" "ref" .Values.secrets.clientSecrets)
      (dict "env" "REDIS_URL_FILE" "file" "redis-url" "ref" .Values.secrets.redisURL)
      (dict "env" "SEAL_KEYS_FILE" "file" "seal-keys" "ref" .Values.secrets.sealKeys) -}}
{{- if .ref.name }}{{ $mounted = append $mounted . }}{{ end -}}
{{- end -}}
{{- toJson $mounted -}}
{{- end -}}

{{- /* The container's environment; the check has the same. */ -}}
{{- define "mfa.ownEnv" -}}
{{- $files := "/var/run/mfa-enrollment" -}}
{{- $mounted := include "mfa.mounted" . | fromJsonArray -}}
- name: ADDR
  value: ":8080"
- name: ADMIN_ADDR
  value: ":9090"
{{- with include "mfa.goMemLimit" . }}
- name: GOMEMLIMIT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.config }}
- name: COGNITO_USER_POOL_IDS
  value: {{ join "," .userPoolIds | quote }}
- name: COGNITO_CLIENT_IDS
  value: {{ join "," .clientIds | quote }}
- name: AWS_USE_FIPS_ENDPOINT
  value: {{ .useFIPSEndpoint | quote }}
- name: AWS_USE_DUALSTACK_ENDPOINT
  value: {{ .useDualStackEndpoint | quote }}
- name: TOTP_ISSUER
  value: {{ .totpIssuer | quote }}
- name: ACCOUNT_LABEL
  value: {{ .accountLabel | quote }}
- name: CORS_ALLOWED_ORIGINS
  value: {{ join "," .corsAllowedOrigins | quote }}
- name: TRUSTED_PROXIES
  value: {{ join "," .trustedProxies | quote }}
- name: PENDING_TTL
  value: {{ .pendingTTL | quote }}
- name: AUTH_SESSION_VALIDITY
  value: {{ .authSessionValidity | quote }}
- name: COGNITO_WRITE_RPS
  value: {{ include "mfa.writeRPS" $ | quote }}
- name: COGNITO_QUOTA_RAISED
  value: {{ .cognitoQuotaRaised | quote }}
- name: PASS_POOL_MESSAGES
  value: {{ .passPoolMessages | quote }}
- name: STEP_UP_MAX_AGE
  value: {{ .stepUpMaxAge | quote }}
- name: MFA_POLICY
  value: {{ .mfaPolicy | quote }}
- name: MAX_CONNECTIONS
  value: {{ int .maxConnections | quote }}
- name: LOG_LEVEL
  value: {{ .logLevel | quote }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .otlpEndpoint | quote }}
{{- end }}
- name: SHUTDOWN_DELAY
  value: {{ printf "%ds" (int .Values.shutdownDelaySeconds) }}
{{- range $mounted }}
- name: {{ .env }}
  value: {{ $files }}/secrets/{{ .file }}
{{- end }}
{{- if .Values.tls.secretName }}
- name: TLS_CERT_FILE
  value: {{ $files }}/tls/tls.crt
- name: TLS_KEY_FILE
  value: {{ $files }}/tls/tls.key
{{- end }}
{{- end -}}

{{- define "mfa.env" -}}
{{ include "mfa.ownEnv" . | trim }}
{{- with .Values.extraEnv }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- /* What the chart sets already cannot be set once more: Kubernetes would take the last. */ -}}
{{- define "mfa.once" -}}
{{- $set := dict -}}
{{- range regexFindAll "(?m)^- name: [A-Z0-9_]+$" (include "mfa.ownEnv" .) -1 -}}
{{- $_ := set $set (trimPrefix "- name: " .) true -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if or (hasKey $set .name) (hasKey $set (printf "%s_FILE" .name)) (hasKey $set (trimSuffix "_FILE" .name)) -}}
{{- fail (printf "extraEnv: %s is set twice; the chart sets it already" .name) -}}
{{- end -}}
{{- $_ := set $set .name true -}}
{{- end -}}
{{- end -}}

{{- define "mfa.mounts" -}}
{{- $files := "/var/run/mfa-enrollment" -}}
{{- $mounted := include "mfa.mounted" . | fromJsonArray -}}
{{- if $mounted }}
- name: secrets
  mountPath: {{ $files }}/secrets
  readOnly: true
{{- end }}
{{- if .Values.tls.secretName }}
- name: tls
  mountPath: {{ $files }}/tls
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mfa.volumes" -}}
{{- $mounted := include "mfa.mounted" . | fromJsonArray -}}
{{- if $mounted }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $mounted }}
      - secret:
          name: {{ .ref.name }}
          items:
            - key: {{ .ref.key }}
              path: {{ .file }}
      {{- end }}
{{- end }}
{{- if .Values.tls.secretName }}
- name: tls
  secret:
    secretName: {{ .Values.tls.secretName }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mfa.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* A container of the image, without its name, command and probes. */ -}}
{{- define "mfa.container" -}}
image: {{ include "mfa.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  {{- include "mfa.env" . | trim | nindent 2 }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "mfa.mounts" . | trim }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}

{{- /*
The contents of the Secrets that are mounted, as far as the cluster can be asked, so
that a change of one rolls out with the next upgrade.
*/ -}}
{{- define "mfa.secretsChecksum" -}}
{{- $contents := list -}}
{{- range include "mfa.mounted" . | fromJsonArray -}}
{{- $secret := lookup "v1" "Secret" $.Release.Namespace .ref.name -}}
{{- if $secret }}{{ $contents = append $contents (dig "data" .ref.key "" $secret) }}{{ end -}}
{{- end -}}
{{- toJson $contents | sha256sum -}}
{{- end -}}
