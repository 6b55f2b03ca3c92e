"""The same work as the kit's bench, in PyTorch, SciPy, scikit-image, medpy, SimpleITK and h5py.

Called as `python peer.py '{"work": …, "size": [x, y, z], "width": …, "batch": …, "file": …}'`. After a warm-up it
prints `{"ready": true}`; then it repeats the work for every line on its standard input and prints `{"seconds": …}`,
and at the end `{"peakBytes": …}`, the peak of resident memory. PyTorch computes on the processor with all its cores.
"""

import json
import math
import os
import resource
import sys
import time

import numpy as np


def blob(size):
    """A lobed ball that fills about a fifth of the box."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in size], indexing="ij")
    angle = np.arctan2(y, x)
    return (np.sqrt(x * x + y * y + z * z) < 0.7 + 0.1 * np.cos(3 * angle)).astype(np.uint8)


def signed_distance(mask):
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import find_boundaries

    inside = mask.astype(bool)
    if not inside.any():
        return np.zeros(mask.shape, np.float32)
    positive = distance_transform_edt(inside)
    negative = distance_transform_edt(~inside)
    scaled = [(d - d.min()) / (d.max() - d.min() + 1e-9) for d in (negative, positive)]
    sdm = scaled[0] - scaled[1]
    sdm[find_boundaries(inside, mode="inner")] = 0
    return sdm.astype(np.float32)


def build(width):
    """SASNet's network: one encoder, two decoders, two heads each (paper 3.1)."""
    import torch
    from torch import nn

    torch.set_num_threads(os.cpu_count())

    def unit(kind, a, b):
        layer = {
            "conv": lambda: nn.Conv3d(a, b, 3, padding=1),
            "down": lambda: nn.Conv3d(a, b, 2, stride=2),
            "up": lambda: nn.ConvTranspose3d(a, b, 2, stride=2),
        }[kind]()
        return nn.Sequential(layer, nn.BatchNorm3d(b), nn.ReLU(inplace=True))

    def block(count, a, b):
        return nn.Sequential(*[unit("conv", a if i == 0 else b, b) for i in range(count)])

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            channels = [width * 2**i for i in range(5)]
            self.stages = nn.ModuleList(
                block(n, 1 if i == 0 else c, c) for i, (n, c) in enumerate(zip([1, 2, 3, 3, 3], channels))
            )
            self.downs = nn.ModuleList(unit("down", c, 2 * c) for c in channels[:4])
            self.decoders = nn.ModuleList()
            for first in (4, 3):
                levels = list(range(3, -1, -1))
                self.decoders.append(
                    nn.ModuleDict(
                        {
                            "ups": nn.ModuleList(unit("up", channels[l + 1], channels[l]) for l in levels if l < first),
                            "blocks": nn.ModuleList(
                                block(n, channels[l], channels[l]) for n, l in zip([3, 3, 2, 1], levels)
                            ),
                            "heads": nn.ModuleList(nn.Conv3d(width, 2, 1) for _ in range(2)),
                        }
                    )
                )
            self.dropout = nn.Dropout3d(0.5)

        def forward(self, x):
            features = []
            for i, stage in enumerate(self.stages):
                x = stage(x if i == 0 else self.downs[i - 1](x))
                features.append(x)
            outputs = []
            for number, decoder in enumerate(self.decoders):
                if number == 0:
                    y, level, ups = self.dropout(features[4]), 3, list(decoder["ups"])
                    y = decoder["blocks"][0](ups.pop(0)(y) + features[level])
                else:
                    ups = list(decoder["ups"])
                    y = decoder["blocks"][0](features[3])
                for step, level in enumerate((2, 1, 0)):
                    y = decoder["blocks"][step + 1](ups[step](y) + features[level])
                y = self.dropout(y)
                regression, segmentation = decoder["heads"]
                outputs.append((segmentation(y), torch.tanh(regression(y))))
            return outputs

    return Network()


def step_work(task):
    """The full released step: forward, SAR, signed distance maps, losses, backward, update."""
    import torch

    torch.manual_seed(1)
    net = build(task["width"]).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    size, batch = task["size"], task["batch"]
    labelled = batch // 2
    label = torch.from_numpy(np.stack([blob(size)] * labelled)).float()
    images = label.repeat(2, 1, 1, 1)[:, None] + torch.randn(batch, 1, *size)
    memory = torch.full((labelled, 2, *size), 0.5)

    def sharpen(p, t=0.1):
        return p ** (1 / t) / (p ** (1 / t) + (1 - p) ** (1 / t))

    def run():
        outputs = net(images)
        soft = [torch.softmax(seg, 1) for seg, _ in outputs]
        dice = sum(1 - (2 * (p[:labelled, 1] * label).sum() + 1e-8) / (p[:labelled, 1].sum() + label.sum() + 1e-8) for p in soft)
        with torch.no_grad():
            weighted = 0
            for k, p in enumerate(soft):
                weighted = weighted + (1 + 0.5 * memory[:, k : k + 1]) * p[:labelled]
                confidence = torch.where(label > 0, p[:labelled, 1], p[:labelled, 0])
                memory[:, k] = (memory[:, k] + confidence) / 2
            ensemble = torch.cat([torch.softmax(weighted, 1), (soft[0][labelled:] + soft[1][labelled:]) / 2])
            mask = (ensemble[:, 1] > 0.5).numpy()
            sdm = torch.from_numpy(np.stack([signed_distance(m) for m in mask]))
        consistency = ((soft[0] - sharpen(soft[1])) ** 2).mean() + ((soft[1] - sharpen(soft[0])) ** 2).mean()
        regression = sum(((tanh[:, 1] - sdm) ** 2).mean() for _, tanh in outputs)
        loss = 0.5 * dice + 0.1 * (consistency + regression)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return run


def forward_work(task):
    import torch

    net = build(task["width"]).eval()
    image = torch.randn(1, 1, *task["size"])

    def run():
        with torch.no_grad():
            outputs = net(image)
            return (sum(torch.softmax(seg, 1) for seg, _ in outputs) / len(outputs)).numpy()

    return run


def predict_work(task):
    """A whole volume by the rule of the released test code: every window alone, scores averaged, above one half."""
    import h5py
    import torch

    net = build(task["width"]).eval()
    crop, stride = task["size"], (18, 18, 4)
    with h5py.File(task["file"], "r") as file:
        volume = file["image"][:]

    def probability(patch):
        with torch.no_grad():
            outputs = net(torch.from_numpy(patch[None, None].astype(np.float32)))
            return (sum(torch.softmax(seg, 1) for seg, _ in outputs) / len(outputs)).numpy()[0]

    def run():
        image = volume
        missing = [max(c - s, 0) for c, s in zip(crop, image.shape)]
        padding = [(m // 2, m - m // 2) for m in missing]
        if any(missing):
            image = np.pad(image, padding)
        score = np.zeros((2, *image.shape), np.float32)
        count = np.zeros(image.shape, np.float32)
        places = [
            [min(step * i, side - c) for i in range(math.ceil((side - c) / step) + 1)]
            for side, c, step in zip(image.shape, crop, stride)
        ]
        for x in places[0]:
            for y in places[1]:
                for z in places[2]:
                    window = np.s_[x : x + crop[0], y : y + crop[1], z : z + crop[2]]
                    score[(slice(None), *window)] += probability(image[window])
                    count[window] += 1
        score /= count
        mask = (score[1] > 0.5).astype(np.uint8)
        return mask[tuple(slice(low, low + side) for (low, _), side in zip(padding, volume.shape))]

    # One window stands for the warm-up: a whole volume takes minutes.
    return run, lambda: probability(np.zeros(crop, np.float32))


def sdm_work(task):
    mask = blob(task["size"])
    return lambda: signed_distance(mask)


def metrics_work(task):
    from medpy.metric import binary

    reference = blob(task["size"])
    prediction = np.roll(reference, (2, 1, 1), (0, 1, 2))
    return lambda: [f(prediction, reference) for f in (binary.dc, binary.jc, binary.hd95, binary.asd)]


def read_work(task):
    import h5py

    def run():
        with h5py.File(task["file"], "r") as file:
            return file["image"][:], file["label"][:]

    return run


# The warm-up is repeated for so long, here and by the kit.
WARM_UP_SECONDS = 1
# A repetition runs the work so often that it lasts about so long, and reports the mean.
TIMED_SECONDS = 0.1


def nifti_work(task):
    import nibabel

    return lambda: nibabel.load(task["file"]).get_fdata(dtype=np.float32)


def digest(path):
    import hashlib

    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def quantiles(values):
    sample = values.ravel()[:: max(1, values.size // 100_000)]
    return values.min(), np.quantile(sample, [0.005, 0.5, 0.995]), values.max()


def box_of(found):
    """First index and end of what is true along each axis."""
    lines = [np.flatnonzero(found.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return [(line[0], line[-1] + 1) for line in lines]


def write_case(path, image, label):
    """As the public scripts write it: h5py's gzip, which is level 4; the kit's is level 2."""
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=image, compression="gzip")
        file.create_dataset("label", data=label, compression="gzip")


def prepare_work(task):
    """A raw case to an h5 file: of Pancreas-CT, or for "prepare-brats" of BraTS.

    Where the task is "bare" these are the steps of the public scripts alone. Else hashes and fingerprint as the kit's
    come with them: SHA-256 of both inputs, the output and its voxels; quantiles of the raw image, in the label and of
    the prepared image, the prepared image's mean and deviation, the label's number of pieces.
    """
    import hashlib

    import SimpleITK as sitk

    folder, output = task["file"], os.path.join(task["file"], "peer.h5")
    is_brats, is_bare = task["work"] == "prepare-brats", task.get("bare", False)
    names = ("BRATS_0001_flair.nii.gz", "BRATS_0001_seg.nii.gz") if is_brats else ("PANCREAS_0001.nii.gz", "label0001.nii.gz")
    paths = [os.path.join(folder, name) for name in names]

    def on_grid(image):
        size, spacing = np.array(image.GetSize()), np.array(image.GetSpacing())
        sides = np.round(size * spacing).astype(int)
        origin = np.array(image.GetOrigin()) + ((size - 1) * spacing - (sides - 1)) / 2
        grid = (sides.tolist(), sitk.Transform(), sitk.sitkLinear, origin.tolist(), [1.0, 1.0, 1.0], image.GetDirection())
        return sitk.GetArrayFromImage(sitk.Resample(image, *grid, 0.0, sitk.sitkFloat32)).transpose(2, 1, 0)

    def pancreas(scan, mask):
        """1 mm, the label's box and 25, 25, 0 voxels, the window of Hounsfield units to 0 … 1."""
        label = on_grid(mask) >= 0.5
        box = tuple(
            slice(max(first - margin, 0), min(end + margin, side))
            for (first, end), margin, side in zip(box_of(label), (25, 25, 0), label.shape)
        )
        label = np.ascontiguousarray(label[box], np.uint8)
        return np.ascontiguousarray((np.clip(on_grid(scan)[box], -125, 275) + 125) / 400, np.float32), label

    def brats(scan, mask):
        """The box of the brain and the label, mean 0 and deviation 1 in the brain, every label as foreground."""
        raw = sitk.GetArrayViewFromImage(scan).transpose(2, 1, 0)
        label = sitk.GetArrayViewFromImage(mask).transpose(2, 1, 0) > 0
        brain = raw != raw[0, 0, 0]
        box = tuple(slice(first, end) for first, end in box_of(brain | label))
        image, inside = np.ascontiguousarray(raw[box]), raw[brain]
        image = ((image - inside.mean()) / inside.std()).astype(np.float32)
        return image, np.ascontiguousarray(label[box], np.uint8)

    prepared = brats if is_brats else pancreas

    def run():
        hashes = [] if is_bare else [digest(path) for path in paths]
        scan, mask = [sitk.ReadImage(path, sitk.sitkFloat32) for path in paths]
        raw, inside = sitk.GetArrayViewFromImage(scan), sitk.GetArrayViewFromImage(mask) > 0
        assert np.isfinite(raw).all()
        fingerprint = [] if is_bare else [quantiles(raw), quantiles(raw[inside])]
        image, label = prepared(scan, mask)
        write_case(output, image, label)
        if is_bare:
            return image.shape
        pieces = sitk.ConnectedComponent(sitk.GetImageFromArray(label), True)
        fingerprint += [quantiles(image), image.mean(), image.std(), sitk.GetArrayViewFromImage(pieces).max()]
        voxels = hashlib.sha256(image.tobytes() + label.tobytes()).hexdigest()
        return hashes, digest(output), voxels, fingerprint

    return run


def say(message):
    print(json.dumps(message), flush=True)


def main():
    task = json.loads(sys.argv[1])
    prepared = {
        "step": step_work,
        "forward": forward_work,
        "predict": predict_work,
        "sdm": sdm_work,
        "metrics": metrics_work,
        "read": read_work,
        "nifti": nifti_work,
        "prepare": prepare_work,
        "prepare-brats": prepare_work,
    }[task["work"]](task)
    run, warm_up = prepared if isinstance(prepared, tuple) else (prepared, prepared)
    begun = time.perf_counter()
    warm_ups = 0
    while warm_ups == 0 or time.perf_counter() - begun < WARM_UP_SECONDS:
        warm_up()
        warm_ups += 1
    runs = max(int(TIMED_SECONDS * warm_ups / (time.perf_counter() - begun)), 1)
    say({"ready": True})
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(runs):
            run()
        say({"seconds": (time.perf_counter() - started) / runs})
    unit = 1 if sys.platform == "darwin" else 1024
    say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit})


main()
