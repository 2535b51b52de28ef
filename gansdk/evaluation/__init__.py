"""How good a model is: metrics, written once against facts, and the record of them in ``evaluation.json``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gansdk.backbones import LITE0
from gansdk.evaluation import codes
from gansdk.plugins.declarations import MetricSpec
from gansdk.plugins.hookspecs import hookimpl
from gansdk.tasks.superres import unsupported_reason as restoration_unsupported_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

_restoration = partial(
    MetricSpec,
    version=1,
    unsupported_reason=restoration_unsupported_reason,
    protocol="gansdk.evaluation.restoration:RestorationProtocol",
)
_recovery = partial(
    MetricSpec,
    version=1,
    unsupported_reason=codes.recovery_unsupported_reason,
    protocol="gansdk.evaluation.sample_metrics:SamplingProtocol",
    samples=5_000,
)

METRICS = (
    _restoration(
        name="psnr-y",
        summary="how near the restored image is to the true one, pixel by pixel",
        better="higher",
        unit="dB",
        function="gansdk.evaluation.restoration_metrics:psnr_y",
    ),
    _restoration(
        name="ssim-y",
        summary="how alike their structures are, window by window",
        better="higher",
        function="gansdk.evaluation.restoration_metrics:ssim_y",
    ),
    _restoration(
        name="consistency",
        summary="how near the result, shrunk again, is to the input",
        better="higher",
        unit="dB",
        function="gansdk.evaluation.restoration_metrics:consistency",
    ),
    _restoration(
        name="pd-lite0",
        summary="how far it is from the true one in the features of a network trained on ImageNet",
        better="lower",
        function="gansdk.evaluation.restoration_metrics:pd_lite0",
        backbone=LITE0,
    ),
    _restoration(
        name="fd-lite0",
        summary="how far all restored patches together are from all real ones, in the same features",
        better="lower",
        function="gansdk.evaluation.restoration_metrics:PatchFrechetDistance",
        backbone=LITE0,
    ),
    _restoration(
        name="spectrum-slope",
        summary="how far its fine detail fades faster or slower than the true image's",
        better="lower",
        function="gansdk.evaluation.restoration_metrics:spectrum_slope",
    ),
    _restoration(
        name="c2st",
        summary="classifier two-sample test: how often a trained network tells a patch from a real one; half is chance",
        better="lower",
        function="gansdk.evaluation.restoration_metrics:ClassifierTwoSampleTest",
    ),
    _recovery(
        name="code-information",
        summary="how much of a sample's categorical codes can be read back from it",
        better="higher",
        unit="nats",
        function="gansdk.evaluation.sample_metrics:CodeInformation",
    ),
    _recovery(
        name="code-recovery",
        summary="how often the likeliest category is the one that a sample was made from",
        better="higher",
        function="gansdk.evaluation.sample_metrics:CodeRecovery",
    ),
    MetricSpec(
        name="code-effect",
        version=1,
        summary="how surely each continuous code, swept, moves one property of the image",
        better="higher",
        unsupported_reason=codes.traversal_unsupported_reason,
        protocol="gansdk.evaluation.code_metrics:TraversalProtocol",
        samples=100,
        function="gansdk.evaluation.code_metrics:CodeEffect",
    ),
    MetricSpec(
        name="clustering-accuracy",
        version=1,
        summary="how many labelled images fall into the category that is matched with their class",
        better="higher",
        unsupported_reason=codes.clustering_unsupported_reason,
        protocol="gansdk.evaluation.code_metrics:ClusteringProtocol",
        function="gansdk.evaluation.code_metrics:ClusteringAccuracy",
    ),
    MetricSpec(
        name="code-fidelity",
        version=1,
        summary="how often a classifier takes a sample for what its category is called",
        better="higher",
        unsupported_reason=codes.fidelity_unsupported_reason,
        protocol="gansdk.evaluation.sample_metrics:SampleQualityProtocol",
        function="gansdk.evaluation.sample_metrics:CodeFidelity",
    ),
    MetricSpec(
        name="fd-classifier",
        version=1,
        summary="how far all samples together are from all real images, in the features of a classifier of such images",
        better="lower",
        unsupported_reason=codes.sampling_unsupported_reason,
        protocol="gansdk.evaluation.sample_metrics:SampleQualityProtocol",
        function="gansdk.evaluation.sample_metrics:fd_classifier",
    ),
    MetricSpec(
        name="fd-lite0-samples",
        version=1,
        summary="how far all samples together are from all real images, in the features of a network trained on "
        "ImageNet",
        better="lower",
        unsupported_reason=codes.features_unsupported_reason,
        protocol="gansdk.evaluation.sample_metrics:SampleFeaturesProtocol",
        function="gansdk.evaluation.sample_metrics:fd_lite0_samples",
        backbone=LITE0,
    ),
)


@hookimpl
def gansdk_metrics() -> Iterable[MetricSpec]:
    """The metrics that every installation has."""
    return METRICS
