"""The networks that are compared, and their files: one state dict and one ONNX file a batch each."""
import os
import subprocess
import sys

SEED = 20240229


def lively(net, torch):
    """Batchnorm statistics that are not the identity, so that no engine can skip it."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.3)
    return net.eval()


def builders():
    import timm
    import torchvision.models as tv
    return {
        "mobilenetv1_100": lambda: timm.create_model("mobilenetv1_100"),
        "mobilenet_v2": tv.mobilenet_v2,
        "mobilenet_v3_large": tv.mobilenet_v3_large,
        "tf_efficientnet_lite0": lambda: timm.create_model("tf_efficientnet_lite0"),
        "resnet18": tv.resnet18,
        "resnet34": tv.resnet34,
        "resnet50": tv.resnet50,
    }


NAMES = ("mobilenetv1_100", "mobilenet_v2", "mobilenet_v3_large", "tf_efficientnet_lite0", "resnet18",
         "resnet34", "resnet50")


def state_dict(folder, net):
    return os.path.join(folder, net + ".pth")


def onnx_file(folder, net, batch):
    return os.path.join(folder, f"{net}_b{batch}.onnx")


def model_file(folder, net):
    return os.path.join(folder, net + ".penult")


def export(folder, net, batches):
    """Writes what is missing of a network's state dict and ONNX files."""
    if all(os.path.exists(onnx_file(folder, net, b)) for b in batches):
        return
    import torch
    torch.manual_seed(SEED)
    model = lively(builders()[net](), torch)
    torch.save(model.state_dict(), state_dict(folder, net))
    for batch in batches:
        torch.onnx.export(model, (torch.randn(batch, 3, 224, 224),), onnx_file(folder, net, batch),
                          dynamo=False, opset_version=17, input_names=["input"], output_names=["output"])


def convert(folder, net, penult):
    """The same weights as a .penult file, made anew so that it is the program's own format."""
    subprocess.run([penult, "convert", state_dict(folder, net), "-o", model_file(folder, net), "--arch", net,
                    "--force"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":  # a process of its own, so that torch is not in the one that measures
    export(sys.argv[1], sys.argv[2], [int(b) for b in sys.argv[3].split(",")])
