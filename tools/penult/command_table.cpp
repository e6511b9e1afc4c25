#include "tools/penult/command.h"

namespace penult::program {
namespace {

constexpr Command kCommands[] = {
    {"convert", "Turn a weight file into a verified .penult model",
     "  penult convert weights.pth -o net.penult\n"
     "  penult convert weights.pth --input-size 160x160 --weights-name \"ImageNet, run 7\"\n"
     "  penult convert resnet50.pth --preprocess torchvision-232\n"
     "PyTorch: a state dict as torch.save() writes it, alone or inside a checkpoint. A file that "
     "the\n"
     "table of `penult fetch` knows is recognised by its SHA-256.\n",
     declare_convert},
    {"fetch", "Download a published weight file by name, and convert it",
     "  penult fetch --list\n"
     "  penult fetch --list resnet\n"
     "  penult fetch resnet50 -o resnet50.penult\n"
     "The file is checked against the SHA-256 of a table, or as many digits of it as its name "
     "has.\n"
     "A download that was interrupted goes on where it stopped when the command is given again. "
     "It\n"
     "needs libcurl, which is opened when something is to be downloaded.\n",
     declare_fetch},
    {"inspect", "List the taps of a model: where features can be taken, shapes, costs",
     "  penult inspect net.penult\n"
     "  penult inspect net.penult --json | python3 -m json.tool\n"
     "Of each tap: its shape, its features when pooled, how much of the net is needed up to it, "
     "the\n"
     "memory of a run that ends there, what part of the picture one value can depend on, and "
     "the\n"
     "time up to it, measured now. The receptive field follows the windows of all paths to the "
     "tap\n"
     "(Araujo et al. 2019, Computing Receptive Fields of Convolutional Neural Networks).\n",
     declare_inspect},
    {"extract", "Turn images into features",
     "  penult extract photos/ -m net.penult -o features.npz\n"
     "  penult extract photos/ -m net.penult -l features.14 -l penultimate -o features.npz\n"
     "  find . -name '*.jpg' | penult extract - -m net.penult -o features.npy\n"
     "The features are those of the model's own preprocessing (resize, crop, mean, std).\n",
     declare_extract},
    {"truncate", "Write a smaller model that ends at the taps you need",
     "  penult truncate net.penult -l features.14 -o small.penult\n", declare_truncate},
    {"verify", "Compare a model with what another framework computed from the same weights",
     "  penult verify net.penult --against golden.npz\n"
     "  penult verify net.penult --against weights.pth\n"
     "Exit 0: every tap compared has a cosine of at least 1 - 1e-6 and errors of at most "
     "1e-4\n"
     "of its maximum (--precision f16: a cosine of at least 0.9999, and a norm within 1.414 %);\n"
     "1: some tap has not, or is none of the model's, or there is none.\n",
     declare_verify},
    {"bench", "Time a model on this machine, preprocessing left out",
     "  penult bench net.penult\n"
     "  penult bench net.penult -l features.14 -l penultimate -b 1,8 -j 1,2 --json\n"
     "  penult bench net.penult --steps\n",
     declare_bench},
    {"doctor", "Say what this machine offers, and why not the rest",
     "  penult doctor\n  penult doctor --probe\n", declare_doctor},
};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

}  // namespace penult::program
