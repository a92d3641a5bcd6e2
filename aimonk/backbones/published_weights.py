"""What Keras publishes weights for: the networks and widths, their sizes, and the files' names.

Building them all takes Keras two minutes, so the figures are kept here. A test compares some with Keras.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """ImageNet weights without the top.

    Attributes:
        name: of the network, as `--backbone` takes it.
        parameters: number of weights.
        channels: of the last map.
        file: its name in Keras' cache folder.

    """

    name: str
    parameters: int
    channels: int
    file: str


_TENSORFLOW = "_weights_tf_dim_ordering_tf_kernels"

PUBLISHED = (
    Published("convnextbase", 87_566_464, 1024, "convnext_base_notop.h5"),
    Published("convnextlarge", 196_230_336, 1536, "convnext_large_notop.h5"),
    Published("convnextsmall", 49_454_688, 768, "convnext_small_notop.h5"),
    Published("convnexttiny", 27_820_128, 768, "convnext_tiny_notop.h5"),
    Published("convnextxlarge", 348_147_968, 2048, "convnext_xlarge_notop.h5"),
    Published("densenet121", 7_037_504, 1024, f"densenet121{_TENSORFLOW}_notop.h5"),
    Published("densenet169", 12_642_880, 1664, f"densenet169{_TENSORFLOW}_notop.h5"),
    Published("densenet201", 18_321_984, 1920, f"densenet201{_TENSORFLOW}_notop.h5"),
    Published("efficientnetb0", 4_049_571, 1280, "efficientnetb0_notop.h5"),
    Published("efficientnetb1", 6_575_239, 1280, "efficientnetb1_notop.h5"),
    Published("efficientnetb2", 7_768_569, 1408, "efficientnetb2_notop.h5"),
    Published("efficientnetb3", 10_783_535, 1536, "efficientnetb3_notop.h5"),
    Published("efficientnetb4", 17_673_823, 1792, "efficientnetb4_notop.h5"),
    Published("efficientnetb5", 28_513_527, 2048, "efficientnetb5_notop.h5"),
    Published("efficientnetb6", 40_960_143, 2304, "efficientnetb6_notop.h5"),
    Published("efficientnetb7", 64_097_687, 2560, "efficientnetb7_notop.h5"),
    Published("efficientnetv2b0", 5_919_312, 1280, "efficientnetv2-b0_notop.h5"),
    Published("efficientnetv2b1", 6_931_124, 1280, "efficientnetv2-b1_notop.h5"),
    Published("efficientnetv2b2", 8_769_374, 1408, "efficientnetv2-b2_notop.h5"),
    Published("efficientnetv2b3", 12_930_622, 1536, "efficientnetv2-b3_notop.h5"),
    Published("efficientnetv2l", 117_746_848, 1280, "efficientnetv2-l_notop.h5"),
    Published("efficientnetv2m", 53_150_388, 1280, "efficientnetv2-m_notop.h5"),
    Published("efficientnetv2s", 20_331_360, 1280, "efficientnetv2-s_notop.h5"),
    Published("inceptionresnetv2", 54_336_736, 1536, f"inception_resnet_v2{_TENSORFLOW}_notop.h5"),
    Published("inceptionv3", 21_802_784, 2048, f"inception_v3{_TENSORFLOW}_notop.h5"),
    Published("mobilenet@0.25", 218_544, 256, "mobilenet_2_5_224_tf_no_top.h5"),
    Published("mobilenet@0.5", 829_536, 512, "mobilenet_5_0_224_tf_no_top.h5"),
    Published("mobilenet@0.75", 1_832_976, 768, "mobilenet_7_5_224_tf_no_top.h5"),
    Published("mobilenet", 3_228_864, 1024, "mobilenet_1_0_224_tf_no_top.h5"),
    Published("mobilenetv2@0.35", 410_208, 1280, f"mobilenet_v2{_TENSORFLOW}_0.35_224_no_top.h5"),
    Published("mobilenetv2@0.5", 706_224, 1280, f"mobilenet_v2{_TENSORFLOW}_0.5_224_no_top.h5"),
    Published("mobilenetv2@0.75", 1_382_064, 1280, f"mobilenet_v2{_TENSORFLOW}_0.75_224_no_top.h5"),
    Published("mobilenetv2", 2_257_984, 1280, f"mobilenet_v2{_TENSORFLOW}_1.0_224_no_top.h5"),
    Published("mobilenetv2@1.3", 3_766_048, 1664, f"mobilenet_v2{_TENSORFLOW}_1.3_224_no_top.h5"),
    Published("mobilenetv2@1.4", 4_363_712, 1792, f"mobilenet_v2{_TENSORFLOW}_1.4_224_no_top.h5"),
    Published(
        "mobilenetv3large@0.75", 1_808_736, 720, "weights_mobilenet_v3_large_224_0.75_float_no_top_v2.h5"
    ),
    Published("mobilenetv3large", 2_996_352, 960, "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5"),
    Published(
        "mobilenetv3small@0.75", 583_160, 432, "weights_mobilenet_v3_small_224_0.75_float_no_top_v2.h5"
    ),
    Published("mobilenetv3small", 939_120, 576, "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"),
    Published("nasnetlarge", 84_916_818, 4032, "nasnet_large_no_top.h5"),
    Published("nasnetmobile", 4_269_716, 1056, "nasnet_mobile_no_top.h5"),
    Published("resnet101", 42_658_176, 2048, f"resnet101{_TENSORFLOW}_notop.h5"),
    Published("resnet101v2", 42_626_560, 2048, f"resnet101v2{_TENSORFLOW}_notop.h5"),
    Published("resnet152", 58_370_944, 2048, f"resnet152{_TENSORFLOW}_notop.h5"),
    Published("resnet152v2", 58_331_648, 2048, f"resnet152v2{_TENSORFLOW}_notop.h5"),
    Published("resnet50", 23_587_712, 2048, f"resnet50{_TENSORFLOW}_notop.h5"),
    Published("resnet50v2", 23_564_800, 2048, f"resnet50v2{_TENSORFLOW}_notop.h5"),
    Published("vgg16", 14_714_688, 512, f"vgg16{_TENSORFLOW}_notop.h5"),
    Published("vgg19", 20_024_384, 512, f"vgg19{_TENSORFLOW}_notop.h5"),
    Published("xception", 20_861_480, 2048, f"xception{_TENSORFLOW}_notop.h5"),
)
