"""The core's own metrics, as values. They come in by the core's own entry point, like any plugin's."""

from __future__ import annotations

from gansdk.backbones import LITE0
from gansdk.evaluation import codes
from gansdk.plugins.declarations import Metric
from gansdk.tasks.superres import misfit

_RESTORING = "gansdk.evaluation.restoration:Restoring"
_SAMPLING = "gansdk.evaluation.sample_metrics:Sampling"
_RESEMBLING = "gansdk.evaluation.sample_metrics:Resembling"

METRICS = (
    Metric(
        name="psnr-y",
        version=1,
        summary="how near the restored picture is to the true one, pixel by pixel",
        better="higher",
        unit="dB",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:psnr_y",
    ),
    Metric(
        name="ssim-y",
        version=1,
        summary="how alike their structures are, window by window",
        better="higher",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:ssim_y",
    ),
    Metric(
        name="consistency",
        version=1,
        summary="how near the result, shrunk again, is to the input",
        better="higher",
        unit="dB",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:consistency",
    ),
    Metric(
        name="pd-lite0",
        version=1,
        summary="how far it is from the true one in the features of a network that knows pictures",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:FeatureDistance",
        trunk=LITE0,
    ),
    Metric(
        name="fd-lite0",
        version=1,
        summary="how far all restored patches together are from all real ones, in the same features",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:FrechetDistance",
        trunk=LITE0,
    ),
    Metric(
        name="spectrum-slope",
        version=1,
        summary="how far its fine detail fades faster or slower than the true picture's",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:spectrum_slope",
    ),
    Metric(
        name="told-apart",
        version=1,
        summary="how often a network, taught to, tells a patch from a real one; half is chance",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restoration_metrics:ToldApart",
    ),
    Metric(
        name="code-information",
        version=1,
        summary="how much of the categorical codes that a sample was made from can be read back off it",
        better="higher",
        unit="nats",
        misfit=codes.telling_misfit,
        trial=_SAMPLING,
        samples=5_000,
        function="gansdk.evaluation.sample_metrics:CodeInformation",
    ),
    Metric(
        name="code-recovery",
        version=1,
        summary="how often the likeliest category is the one that a sample was made from",
        better="higher",
        misfit=codes.telling_misfit,
        trial=_SAMPLING,
        samples=5_000,
        function="gansdk.evaluation.sample_metrics:CodeRecovery",
    ),
    Metric(
        name="code-effect",
        version=1,
        summary="how surely each continuous code, swept, moves one property of the picture",
        better="higher",
        misfit=codes.sweeping_misfit,
        trial="gansdk.evaluation.code_metrics:Sweeping",
        samples=100,
        function="gansdk.evaluation.code_metrics:CodeEffect",
    ),
    Metric(
        name="code-accuracy",
        version=1,
        summary="how many labelled images categories tell right that were found without labels",
        better="higher",
        misfit=codes.reading_misfit,
        trial="gansdk.evaluation.code_metrics:Recognising",
        function="gansdk.evaluation.code_metrics:CodeAccuracy",
    ),
    Metric(
        name="code-fidelity",
        version=1,
        summary="how often a judge takes a sample for what its category is called",
        better="higher",
        misfit=codes.naming_misfit,
        trial=_RESEMBLING,
        function="gansdk.evaluation.sample_metrics:CodeFidelity",
    ),
    Metric(
        name="fd-judge",
        version=1,
        summary="how far all samples together are from all real images, in the features of a judge of such images",
        better="lower",
        misfit=codes.sampling_misfit,
        trial=_RESEMBLING,
        function="gansdk.evaluation.sample_metrics:FrechetDistance",
    ),
)
