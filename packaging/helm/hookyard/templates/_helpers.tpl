{{- define "hookyard.name" -}}
{{- if contains "hookyard" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-hookyard" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "hookyard.selector" -}}
app.kubernetes.io/name: hookyard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hookyard.labels" -}}
{{ include "hookyard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "hookyard.secret" -}}
{{- .Values.existingSecret | default (include "hookyard.name" .) -}}
{{- end -}}
