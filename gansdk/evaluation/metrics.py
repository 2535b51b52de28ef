"""The core's own metrics, as values. They come in by the core's own entry point, like any plugin's."""

from __future__ import annotations

from gansdk.plugins.declarations import Metric
from gansdk.tasks.superres import misfit
from gansdk.trunks import LITE0

_RESTORING = "gansdk.evaluation.restoring:Restoring"

METRICS = (
    Metric(
        name="psnr-y",
        version=1,
        summary="how near the restored picture is to the true one, pixel by pixel",
        better="higher",
        unit="dB",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:psnr_y",
    ),
    Metric(
        name="ssim-y",
        version=1,
        summary="how alike their structures are, window by window",
        better="higher",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:ssim_y",
    ),
    Metric(
        name="consistency",
        version=1,
        summary="how near the result, shrunk again, is to the input",
        better="higher",
        unit="dB",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:consistency",
    ),
    Metric(
        name="pd-lite0",
        version=1,
        summary="how far it is from the true one in the features of a network that knows pictures",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:FeatureDistance",
        trunk=LITE0,
    ),
    Metric(
        name="fd-lite0",
        version=1,
        summary="how far all restored patches together are from all real ones, in the same features",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:FrechetDistance",
        trunk=LITE0,
    ),
    Metric(
        name="spectrum-slope",
        version=1,
        summary="how far its fine detail fades faster or slower than the true picture's",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:spectrum_slope",
    ),
    Metric(
        name="told-apart",
        version=1,
        summary="how often a network, taught to, tells a patch from a real one; half is chance",
        better="lower",
        misfit=misfit,
        trial=_RESTORING,
        function="gansdk.evaluation.restored:ToldApart",
    ),
)
