"""The core's own metrics, as values. They come in by the core's own entry point, like any plugin's."""

from __future__ import annotations

from gansdk.backbones import LITE0
from gansdk.evaluation import codes
from gansdk.plugins.declarations import MetricSpec
from gansdk.tasks.superres import unsupported_reason

_RESTORING = "gansdk.evaluation.restoration:RestorationProtocol"
_SAMPLING = "gansdk.evaluation.sample_metrics:SamplingProtocol"
_RESEMBLING = "gansdk.evaluation.sample_metrics:SampleQualityProtocol"

METRICS = (
    MetricSpec(
        name="psnr-y",
        version=1,
        summary="how near the restored image is to the true one, pixel by pixel",
        better="higher",
        unit="dB",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:psnr_y",
    ),
    MetricSpec(
        name="ssim-y",
        version=1,
        summary="how alike their structures are, window by window",
        better="higher",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:ssim_y",
    ),
    MetricSpec(
        name="consistency",
        version=1,
        summary="how near the result, shrunk again, is to the input",
        better="higher",
        unit="dB",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:consistency",
    ),
    MetricSpec(
        name="pd-lite0",
        version=1,
        summary="how far it is from the true one in the features of a network that knows images",
        better="lower",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:FeatureDistance",
        backbone=LITE0,
    ),
    MetricSpec(
        name="fd-lite0",
        version=1,
        summary="how far all restored patches together are from all real ones, in the same features",
        better="lower",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:PatchFrechetDistance",
        backbone=LITE0,
    ),
    MetricSpec(
        name="spectrum-slope",
        version=1,
        summary="how far its fine detail fades faster or slower than the true image's",
        better="lower",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:spectrum_slope",
    ),
    MetricSpec(
        name="c2st",
        version=1,
        summary="how often a network, taught to, tells a patch from a real one; half is chance",
        better="lower",
        unsupported_reason=unsupported_reason,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:ClassifierTwoSampleTest",
    ),
    MetricSpec(
        name="code-information",
        version=1,
        summary="how much of the categorical codes that a sample was made from can be read back off it",
        better="higher",
        unit="nats",
        unsupported_reason=codes.fidelity_unsupported_reason,
        trial=_SAMPLING,
        samples=5_000,
        function="gansdk.evaluation.sample_metrics:CodeInformation",
    ),
    MetricSpec(
        name="code-recovery",
        version=1,
        summary="how often the likeliest category is the one that a sample was made from",
        better="higher",
        unsupported_reason=codes.fidelity_unsupported_reason,
        trial=_SAMPLING,
        samples=5_000,
        function="gansdk.evaluation.sample_metrics:CodeRecovery",
    ),
    MetricSpec(
        name="code-effect",
        version=1,
        summary="how surely each continuous code, swept, moves one property of the image",
        better="higher",
        unsupported_reason=codes.traversal_unsupported_reason,
        trial="gansdk.evaluation.code_metrics:TraversalProtocol",
        samples=100,
        function="gansdk.evaluation.code_metrics:CodeEffect",
    ),
    MetricSpec(
        name="clustering-accuracy",
        version=1,
        summary="how many labelled images categories tell right that were found without labels",
        better="higher",
        unsupported_reason=codes.recovery_unsupported_reason,
        trial="gansdk.evaluation.code_metrics:ClusteringProtocol",
        function="gansdk.evaluation.code_metrics:ClusteringAccuracy",
    ),
    MetricSpec(
        name="code-fidelity",
        version=1,
        summary="how often an evaluator takes a sample for what its category is called",
        better="higher",
        unsupported_reason=codes.accuracy_unsupported_reason,
        trial=_RESEMBLING,
        function="gansdk.evaluation.sample_metrics:CodeFidelity",
    ),
    MetricSpec(
        name="fd-classifier",
        version=1,
        summary="how far all samples together are from all real images, in the features of an evaluator of such images",
        better="lower",
        unsupported_reason=codes.sampling_unsupported_reason,
        trial=_RESEMBLING,
        function="gansdk.evaluation.sample_metrics:FrechetDistance",
    ),
)
