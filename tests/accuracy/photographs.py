"""The photographs that accuracy is measured on: free ones from Debian packages, each once."""
import glob
import hashlib
import io
import pathlib
import struct

from PIL import Image

EDGE = 1600  # pixels of the longer side: an ordinary upload
SMALLEST = 400
SAME = 24  # of 256 bits: the same picture in two packages


def resources(path):
    """The WebP pictures in a Qt resource file: each is preceded by its size."""
    data = pathlib.Path(path).read_bytes()
    at = data.find(b"RIFF")
    while at >= 0:
        size = struct.unpack(">I", data[at - 4:at])[0] if at >= 4 else 0
        if data[at + 8:at + 12] == b"WEBP" and 3000 < size <= len(data) - at:
            yield f"{pathlib.Path(path).name}@{at}", data[at:at + size]
        at = data.find(b"RIFF", at + 4)


def candidates():
    for path in sorted(glob.glob("/usr/share/gcompris-qt/rcc/*.rcc")):
        yield from resources(path)
    for path in sorted(glob.glob("/usr/share/backgrounds/**/*.jpg", recursive=True)):
        yield path, pathlib.Path(path).read_bytes()


def fingerprint(picture):
    """256 bits: which of two neighbours in a 17x16 picture is the lighter."""
    small = picture.convert("L").resize((17, 16), Image.Resampling.BOX).load()
    return sum(1 << (16 * y + x) for y in range(16) for x in range(16) if small[x, y] > small[x + 1, y])


def load():
    """Yields (name, picture), the same on every machine with the same packages."""
    known, found = [], []
    for name, data in candidates():
        try:
            picture = Image.open(io.BytesIO(data))
            if min(picture.size) < SMALLEST or picture.mode not in ("RGB", "L"):
                continue
            picture = picture.convert("RGB")
        except Exception:  # not a picture after all
            continue
        mark = fingerprint(picture)
        if min(picture.convert("L").resize((64, 64)).histogram().count(0), 255) > 250:
            continue  # a flat drawing
        if any(bin(mark ^ other).count("1") <= SAME for other in known):
            continue
        known.append(mark)
        scale = EDGE / max(picture.size)
        if scale < 1:
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)),
                                     Image.Resampling.LANCZOS)
        found.append((hashlib.sha256(data).hexdigest(), name, picture))
    return [(name, picture) for _, name, picture in sorted(found, key=lambda row: row[0])]
