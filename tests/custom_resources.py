"""The fields that we use of resources which operators define: KEDA 2.16 (keda.sh/docs/2.16/reference/scaledobject-spec,
scalers/rabbitmq-queue, concepts/authentication) and the RabbitMQ Cluster Operator 2 (rabbitmq.com/kubernetes/operator).
Kubernetes itself ignores a misspelled field of theirs; this does not."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from tests.manifests import Manifest

_Name = Annotated[StrictStr, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
_Quantity = Annotated[StrictStr, Field(pattern=r"^[0-9.]+(m|Mi|Gi)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Metadata(_Part):
    name: _Name
    namespace: _Name


class _Named(_Part):
    name: _Name


class _RabbitMetadata(_Part):
    """Every value is a text."""

    host: Annotated[StrictStr, Field(pattern=r"^http://[-a-z.]+:15672/$")]
    protocol: Literal["http"]  # only this counts what is in work
    mode: Literal["QueueLength"]
    queueName: StrictStr
    value: Annotated[StrictStr, Field(pattern=r"^[1-9]\d*$")]


class _Trigger(_Part):
    type: Literal["rabbitmq"]
    metadata: _RabbitMetadata
    authenticationRef: _Named


class _Policy(_Part):
    type: Literal["Pods", "Percent"]
    value: Annotated[StrictInt, Field(gt=0)]
    periodSeconds: Annotated[StrictInt, Field(gt=0, le=1800)]


class _ScaleUp(_Part):
    policies: list[_Policy]


class _Behavior(_Part):
    scaleUp: _ScaleUp


class _Autoscaler(_Part):
    behavior: _Behavior


class _Advanced(_Part):
    horizontalPodAutoscalerConfig: _Autoscaler


class _ScaledObjectSpec(_Part):
    scaleTargetRef: _Named
    pollingInterval: Annotated[StrictInt, Field(gt=0)]
    cooldownPeriod: Annotated[StrictInt, Field(ge=0)]
    minReplicaCount: Annotated[StrictInt, Field(ge=0)]
    maxReplicaCount: Annotated[StrictInt, Field(gt=0)]
    advanced: _Advanced | None = None
    triggers: Annotated[list[_Trigger], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_a_range(self) -> "_ScaledObjectSpec":
        assert self.minReplicaCount <= self.maxReplicaCount
        return self


class ScaledObject(_Part):
    apiVersion: Literal["keda.sh/v1alpha1"]
    kind: Literal["ScaledObject"]
    metadata: _Metadata
    spec: _ScaledObjectSpec


class _SecretTarget(_Part):
    parameter: Literal["host", "username", "password"]
    name: _Name
    key: StrictStr


class _TriggerAuthenticationSpec(_Part):
    secretTargetRef: list[_SecretTarget]


class TriggerAuthentication(_Part):
    apiVersion: Literal["keda.sh/v1alpha1"]
    kind: Literal["TriggerAuthentication"]
    metadata: _Metadata
    spec: _TriggerAuthenticationSpec


class _Amounts(_Part):
    cpu: _Quantity
    memory: _Quantity


class _Resources(_Part):
    requests: _Amounts
    limits: _Amounts


class _Persistence(_Part):
    storage: _Quantity


class _Configuration(_Part):
    additionalConfig: StrictStr


class _LabelSelector(_Part):
    matchLabels: dict[StrictStr, StrictStr]


class _Term(_Part):
    topologyKey: StrictStr
    labelSelector: _LabelSelector


class _AntiAffinity(_Part):
    requiredDuringSchedulingIgnoredDuringExecution: list[_Term]


class _Affinity(_Part):
    podAntiAffinity: _AntiAffinity


class _RabbitmqClusterSpec(_Part):
    image: StrictStr
    replicas: Literal[3, 5, 7]  # an even number has no majority more than the odd one below
    terminationGracePeriodSeconds: Annotated[StrictInt, Field(ge=0)]
    resources: _Resources
    persistence: _Persistence
    rabbitmq: _Configuration
    affinity: _Affinity


class RabbitmqCluster(_Part):
    apiVersion: Literal["rabbitmq.com/v1beta1"]
    kind: Literal["RabbitmqCluster"]
    metadata: _Metadata
    spec: _RabbitmqClusterSpec


_KINDS: dict[str, type[_Part]] = {one.__name__: one for one in (ScaledObject, TriggerAuthentication, RabbitmqCluster)}


def is_custom(manifest: Manifest) -> bool:
    return manifest["kind"] in _KINDS


def check(manifest: Manifest) -> None:
    """Raises pydantic's ValidationError."""
    _KINDS[manifest["kind"]].model_validate(manifest)
