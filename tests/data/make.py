#!/usr/bin/env python3
"""Makes the pictures of this folder that come from the two photographs. Needs djpeg and cjpeg (libjpeg-turbo-progs).

tests/data/make.py           writes them anew; README.md says what each is for
"""
import pathlib
import struct
import subprocess
import zlib

FOLDER = pathlib.Path(__file__).resolve().parent


def read_photo(name, scale="1/1"):
    """Returns width, height and the RGB rows of a JPEG."""
    ppm = subprocess.run(["djpeg", "-pnm", "-dct", "int", "-scale", scale, FOLDER / name], check=True,
                         stdout=subprocess.PIPE).stdout
    magic, size, maximum, pixels = ppm.split(b"\n", 3)
    assert magic == b"P6" and maximum == b"255"
    width, height = map(int, size.split())
    return width, height, [pixels[y * width * 3:(y + 1) * width * 3] for y in range(height)]


def write_jpeg(name, width, rows, quality):
    ppm = b"P6\n%d %d\n255\n" % (width, len(rows)) + b"".join(rows)
    done = subprocess.run(["cjpeg", "-quality", str(quality), "-optimize", "-dct", "int"], input=ppm, check=True,
                          stdout=subprocess.PIPE)
    (FOLDER / name).write_bytes(done.stdout)


def mirrored(row):
    return b"".join(row[x:x + 3] for x in range(len(row) - 3, -1, -3))


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def filtered(row, before, step):
    """A row of a PNG with the filter Sub on the first row and Up on the others, whichever is left."""
    reference = before if before else bytes(step) + row[:-step]
    return bytes([2 if before else 1]) + bytes((a - b) & 255 for a, b in zip(row, reference))


def write_hidden_png(name, width, rows):
    """RGBA whose colours are the picture and whose alpha is 0 everywhere: shown, it is the page behind it."""
    data, before = b"", b""
    for row in rows:
        pixels = b"".join(row[x:x + 3] + b"\0" for x in range(0, len(row), 3))
        data += filtered(pixels, before, 4)
        before = pixels
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 6, 0, 0, 0)
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) +
                                chunk(b"IEND", b""))


def main():
    width, _, rows = read_photo("photo_a.jpg", "3/4")
    write_jpeg("photo_a_recompressed.jpg", width, rows, 55)
    width, _, rows = read_photo("photo_a.jpg")
    write_jpeg("photo_a_mirrored.jpg", width, [mirrored(row) for row in rows], 85)
    width, _, rows = read_photo("photo_b.jpg", "3/8")
    write_hidden_png("hidden_under_alpha.png", width, rows)
    whole = (FOLDER / "photo_a.jpg").read_bytes()
    (FOLDER / "truncated.jpg").write_bytes(whole[:len(whole) // 2])
    (FOLDER / "not_a_picture.txt").write_text("P3 rocks. This text begins like a picture and is none.\n")


if __name__ == "__main__":
    main()
