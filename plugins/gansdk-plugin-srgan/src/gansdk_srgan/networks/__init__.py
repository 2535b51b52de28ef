"""The networks, one file each. Images are float NCHW in [0, 1] on both sides.

The papers let the generator's output and the discriminator's input range over [−1, 1]. That differs from [0, 1] by
the scale and bias of one layer each, which training sets anyway, so one range serves throughout.

Whatever enlarges an image here computes every position alike, so that any part of an image becomes the very same
numbers as within the whole: tiles count on it.
"""

from gansdk_srgan.networks.compact import SRVGGNetCompact
from gansdk_srgan.networks.enlarging import enlarge
from gansdk_srgan.networks.msrresnet import MSRResNet
from gansdk_srgan.networks.rrdbnet import RRDBNet
from gansdk_srgan.networks.srresnet import SRGANDiscriminator, SRResNet

__all__ = ["MSRResNet", "RRDBNet", "SRGANDiscriminator", "SRResNet", "SRVGGNetCompact", "enlarge"]
