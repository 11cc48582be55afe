#!/usr/bin/env python3
"""Makes the HEIC and AVIF pictures: the drawings of heif/ and two copies of photo_a.jpg. Needs djpeg (libjpeg-turbo-progs),
heif-enc (libheif-examples) and avifenc (libavif-bin).

tests/data/make_heif.py      writes them anew; README.md says what each is for
"""
import pathlib
import struct
import subprocess
import tempfile
import zlib

FOLDER = pathlib.Path(__file__).resolve().parent
DRAWINGS = FOLDER / "heif"
COLOUR_TYPES = {3: 2, 4: 6}


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def write_png(path, width, height, pixels):
    samples = len(pixels) // (width * height)
    rows = b"".join(b"\0" + pixels[y * width * samples:(y + 1) * width * samples] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[samples], 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def draw(path, width, height, shift=0, alpha=False):
    """A sun over a hill; with alpha the hill is transparent."""
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            sun = (x - width * 0.7) ** 2 + (y - height * 0.3) ** 2 < (height * 0.15) ** 2
            hill = y > height * 0.6 + height * 1.2 * ((x + shift) / width - 0.4) ** 2
            pixels += bytes((240, 220, 90) if sun else (40, 110, 50) if hill else (120, 170, 230 - y * 80 // height))
            if alpha:
                pixels.append(0 if hill else 255)
    write_png(path, width, height, bytes(pixels))
    return path


def heic(name, *arguments):
    subprocess.run(["heif-enc", "-o", DRAWINGS / name, *arguments], check=True, stdout=subprocess.DEVNULL)


def avif(name, *arguments):
    subprocess.run(["avifenc", "-j", "1", *arguments, DRAWINGS / name], check=True, stdout=subprocess.DEVNULL)


def make_drawings(folder):
    small = draw(folder / "small.png", 64, 48)
    alpha = draw(folder / "alpha.png", 64, 48, alpha=True)
    large = draw(folder / "large.png", 200, 150)
    other = draw(folder / "other.png", 200, 150, shift=90)
    tile = draw(folder / "tile.png", 64, 64)
    quality = ("--min", "40", "--max", "40", "-s", "8")
    heic("plain.heic", "-q", "40", small)
    heic("rgb.heic", "-L", "-p", "chroma=444", "--matrix_coefficients=0", small)
    heic("alpha.heic", "-q", "40", alpha)
    heic("thumbnail.heic", "-q", "40", "-t", "32", large)
    heic("two.heic", "-q", "30", small, other)
    for chroma in ("400", "420", "444"):
        avif(f"chroma{chroma}.avif", *quality, "-y", chroma, small)
    avif("lossless.avif", "-l", small)
    avif("ten_bits_limited.avif", *quality, "-d", "10", "-r", "limited", small)
    avif("gray_limited.avif", *quality, "-y", "400", "-r", "limited", small)
    avif("premultiplied.avif", *quality, "--minalpha", "30", "--maxalpha", "30", "-p", alpha)
    avif("turned.avif", *quality, "--irot", "1", small)
    avif("mirrored.avif", *quality, "--imir", "1", small)
    avif("cut.avif", *quality, "--crop", "8,8,40,32", small)
    avif("grid.avif", *quality, "-g", "2x1", tile, tile)
    avif("sequence.avif", *quality, "--timescale", "10", small, alpha, small)


def make_photos(folder):
    photo = folder / "photo.ppm"
    png = folder / "photo.png"
    ppm = subprocess.run(["djpeg", "-pnm", "-dct", "int", "-scale", "1/2", FOLDER / "photo_a.jpg"], check=True,
                         stdout=subprocess.PIPE).stdout
    photo.write_bytes(ppm)
    _, size, _, pixels = ppm.split(b"\n", 3)
    width, height = map(int, size.split())
    write_png(png, width, height, pixels)
    subprocess.run(["heif-enc", "-q", "40", "-o", FOLDER / "photo_a.heic", png], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["avifenc", "-j", "1", "--min", "30", "--max", "30", png, FOLDER / "photo_a.avif"], check=True,
                   stdout=subprocess.DEVNULL)


def main():
    DRAWINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_drawings(pathlib.Path(folder))
        make_photos(pathlib.Path(folder))


if __name__ == "__main__":
    main()
