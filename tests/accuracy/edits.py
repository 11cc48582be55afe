"""What people do to a picture before they upload it again. Each edit takes (picture, other, random) and gives a picture;
other is an unrelated photograph. The same seed makes the same edits."""
import math

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

GROUPS = {}  # edit -> group
EDITS = {}   # edit -> function


def edit(name, group):
    def add(function):
        EDITS[name], GROUPS[name] = function, group
        return function
    return add


def plain(name, group, function):
    EDITS[name], GROUPS[name] = lambda picture, other, random: function(picture), group


def scaled(picture, factor):
    return picture.resize((max(64, round(picture.width * factor)), max(64, round(picture.height * factor))),
                          Image.Resampling.BICUBIC)


def noisy(picture, sigma):
    noise = Image.effect_noise(picture.size, sigma).convert("RGB")
    return ImageChops.add(picture, noise, scale=1, offset=-128)


def curved(picture, gamma):
    return picture.point([round(255 * (v / 255) ** gamma) for v in range(256)] * 3)


def bordered(picture, share, colour):
    return ImageOps.expand(picture, round(max(picture.size) * share), colour)


def barred(picture, ratio):
    """Black bars until the picture has that ratio of width to height."""
    width, height = picture.size
    size = (width, round(width / ratio)) if width / height > ratio else (round(height * ratio), height)
    canvas = Image.new("RGB", size, "black")
    canvas.paste(picture, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def write(draw, box, random, colour, lines):
    """Bars in the shape of words: no font is needed."""
    left, top, right, bottom = box
    height = (bottom - top) / (lines * 1.8)
    for line in range(lines):
        x, y = left + height, top + height * (0.5 + 1.7 * line)
        while x < right - 2 * height:
            width = min(height * random.uniform(0.8, 4), right - height - x)
            draw.rectangle((x, y, x + width, y + height), fill=colour)
            x += width + height * 0.5


def captioned(picture, share, top, colours, random):
    bar = round(picture.height * share)
    canvas = Image.new("RGB", (picture.width, picture.height + bar), colours[0])
    canvas.paste(picture, (0, bar if top else 0))
    y = 0 if top else picture.height
    write(ImageDraw.Draw(canvas), (0, y, picture.width, y + bar), random, colours[1], 2)
    return canvas


def cropped(picture, left, top=None, right=None, bottom=None):
    top, right, bottom = (left if side is None else side for side in (top, right, bottom))
    width, height = picture.size
    return picture.crop((round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom))))


def turned_inside(picture, degrees):
    """Turned, and cut down to a rectangle of the same ratio without corners."""
    angle = math.radians(abs(degrees))
    width, height = picture.size
    share = 1 / (math.cos(angle) + max(width / height, height / width) * math.sin(angle))
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC)
    left, top = width * (1 - share) / 2, height * (1 - share) / 2
    return turned.crop((round(left), round(top), round(width - left), round(height - top)))


def fitted(picture, size):
    return ImageOps.fit(picture, size, Image.Resampling.BICUBIC)


def stickered(picture, share, random):
    side = math.sqrt(share * picture.width * picture.height)
    x, y = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
    copy = picture.copy()
    draw = ImageDraw.Draw(copy)
    draw.ellipse((x, y, x + side, y + side), fill=random.choice(("yellow", "red", "white", "black")))
    draw.ellipse((x + side * .25, y + side * .3, x + side * .4, y + side * .45), fill="blue")
    draw.ellipse((x + side * .6, y + side * .3, x + side * .75, y + side * .45), fill="blue")
    return copy


for quality in (10, 30, 50):
    plain(f"jpeg quality {quality}", "recompression", lambda picture: picture)
plain("scaled to 1/2", "scaling", lambda p: scaled(p, 0.5))
plain("scaled to 1/4", "scaling", lambda p: scaled(p, 0.25))
plain("scaled to 1.5", "scaling", lambda p: scaled(p, 1.5))
plain("stretched to a square", "scaling", lambda p: p.resize((1000, 1000)))
plain("blur 2 px", "blur, noise", lambda p: p.filter(ImageFilter.GaussianBlur(2)))
plain("blur 5 px", "blur, noise", lambda p: p.filter(ImageFilter.GaussianBlur(5)))
plain("sharpened", "blur, noise", lambda p: p.filter(ImageFilter.UnsharpMask(3, 200)))
plain("noise", "blur, noise", lambda p: noisy(p, 30))
plain("brighter", "tone", lambda p: ImageEnhance.Brightness(p).enhance(1.3))
plain("darker", "tone", lambda p: ImageEnhance.Brightness(p).enhance(0.6))
plain("more contrast", "tone", lambda p: ImageEnhance.Contrast(p).enhance(1.4))
plain("less contrast", "tone", lambda p: ImageEnhance.Contrast(p).enhance(0.6))
plain("gamma 0.6", "tone", lambda p: curved(p, 0.6))
plain("gamma 1.6", "tone", lambda p: curved(p, 1.6))
plain("grey", "tone", lambda p: p.convert("L").convert("RGB"))
plain("mirrored", "mirror, quarter turns, negative", ImageOps.mirror)
plain("upside down", "mirror, quarter turns, negative", ImageOps.flip)
plain("turned by 90", "mirror, quarter turns, negative", lambda p: p.transpose(Image.Transpose.ROTATE_90))
plain("turned by 180", "mirror, quarter turns, negative", lambda p: p.transpose(Image.Transpose.ROTATE_180))
plain("negative", "mirror, quarter turns, negative", ImageOps.invert)
for percent, colour in ((3, "white"), (5, "black"), (10, "white"), (20, "#203060")):
    plain(f"border {percent} % {colour}", "uniform border", lambda p, s=percent / 100, c=colour: bordered(p, s, c))
plain("letterbox", "letterbox, pillar", lambda p: barred(p, p.width / p.height * 0.7))
plain("pillar box", "letterbox, pillar", lambda p: barred(p, p.width / p.height * 1.4))
plain("in a square", "letterbox, pillar", lambda p: barred(p, 1))


@edit("caption below", "caption bar")
def caption_below(picture, other, random):
    return captioned(picture, 0.15, False, ("white", "black"), random)


@edit("caption above", "caption bar")
def caption_above(picture, other, random):
    return captioned(picture, 0.2, True, ("black", "white"), random)


for degrees in (1, 2, 5, 10, 15):
    plain(f"turned by {degrees}, larger canvas", "rotation up to 15",
          lambda p, d=degrees: p.rotate(d, Image.Resampling.BICUBIC, expand=True))
for degrees in (2, 7):
    plain(f"turned by -{degrees}, same canvas", "rotation up to 15",
          lambda p, d=degrees: p.rotate(-d, Image.Resampling.BICUBIC))
    plain(f"turned by -{degrees}, cut", "rotation, cut", lambda p, d=degrees: turned_inside(p, -d))
for percent in (1, 2, 5, 10):
    plain(f"crop {percent} % each side", f"crop {percent} % each side", lambda p, s=percent / 100: cropped(p, s))
for percent in (10, 20):
    plain(f"crop left {percent} %", f"crop one side {percent} %", lambda p, s=percent / 100: cropped(p, s, 0, 0, 0))
    plain(f"crop below {percent} %", f"crop one side {percent} %", lambda p, s=percent / 100: cropped(p, 0, 0, 0, s))


@edit("collage side by side", "collage of two")
def side_by_side(picture, other, random):
    other = fitted(other, picture.size)
    canvas = Image.new("RGB", (picture.width * 2, picture.height))
    first = random.random() < 0.5
    canvas.paste(picture, (0 if first else picture.width, 0))
    canvas.paste(other, (picture.width if first else 0, 0))
    return canvas


@edit("collage with a gap", "collage of two")
def above_each_other(picture, other, random):
    gap = round(picture.height * 0.03)
    other = fitted(other, (picture.width, round(picture.height * random.uniform(0.7, 1.2))))
    canvas = Image.new("RGB", (picture.width, picture.height + gap + other.height), "white")
    first = random.random() < 0.5
    canvas.paste(picture, (0, 0 if first else other.height + gap))
    canvas.paste(other, (0, picture.height + gap if first else 0))
    return canvas


@edit("collage of four", "collage of four")
def four(picture, other, random):
    other = fitted(other, picture.size)
    canvas = Image.new("RGB", (picture.width * 2, picture.height * 2))
    place = random.randrange(4)
    for i in range(4):
        shown = picture if i == place else (other, ImageOps.mirror(other), ImageOps.flip(other))[i % 3]
        canvas.paste(shown, (picture.width * (i % 2), picture.height * (i // 2)))
    return canvas


@edit("phone screenshot", "phone screenshot")
def screenshot(picture, other, random):
    width = 1080
    shown = picture.resize((width, round(picture.height * width / picture.width)))
    height = max(2200, shown.height + 500)
    dark = random.random() < 0.5
    canvas = Image.new("RGB", (width, height), "#101014" if dark else "white")
    draw = ImageDraw.Draw(canvas)
    ink = "white" if dark else "black"
    write(draw, (0, 0, width, 70), random, ink, 1)
    draw.ellipse((30, 100, 130, 200), fill="#4060a0")
    write(draw, (150, 110, 700, 200), random, ink, 2)
    top = random.randrange(240, height - shown.height - 240)
    canvas.paste(shown, (0, top))
    write(draw, (0, top + shown.height + 30, width, min(height, top + shown.height + 200)), random, ink, 3)
    return canvas


@edit("on a blurred background", "blurred background")
def blurred_background(picture, other, random):
    size = (1080, 1350)
    canvas = fitted(picture, size).filter(ImageFilter.GaussianBlur(40))
    shown = ImageOps.contain(picture, (960, 1100))
    canvas.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    return canvas


@edit("sticker on 5 %", "sticker 5 %")
def small_sticker(picture, other, random):
    return stickered(picture, 0.05, random)


@edit("sticker on 12 %", "sticker 12 %")
def large_sticker(picture, other, random):
    return stickered(picture, 0.12, random)


@edit("words across it", "sticker 5 %")
def words(picture, other, random):
    copy = picture.copy()
    write(ImageDraw.Draw(copy), (0, picture.height * 0.8, picture.width, picture.height * 0.93), random, "white", 1)
    return copy


@edit("border, caption and mirror", "several at once")
def several(picture, other, random):
    return bordered(captioned(ImageOps.mirror(picture), 0.12, False, ("white", "black"), random), 0.05, "black")


def quality_of(name):
    return int(name.rsplit(" ", 1)[1]) if name.startswith("jpeg quality") else 80
