"""Draws the pictures of the sample account. Each function returns an image and one fact
about it that a test can check: a point inside a solid area, and the colour there."""

from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif{}.ttf"
# Everything is drawn this many times too large and then made smaller: smooth edges.
FINE = 2


class Sheet:
    """A canvas in the coordinates of the finished picture."""

    def __init__(self, width, height, paper):
        self.size = (width, height)
        self.image = Image.new("RGB", (width * FINE, height * FINE), paper)
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points, fill):
        self.pen.polygon([(x * FINE, y * FINE) for x, y in points], fill=fill)

    def line(self, points, fill, width=1):
        self.pen.line([(x * FINE, y * FINE) for x, y in points], fill=fill, width=int(width * FINE), joint="curve")

    def disc(self, x, y, r, fill, ry=None):
        ry = ry or r
        self.pen.ellipse([(x - r) * FINE, (y - ry) * FINE, (x + r) * FINE, (y + ry) * FINE], fill=fill)

    def ring(self, x, y, r, outline, width=1):
        box = [(x - r) * FINE, (y - r) * FINE, (x + r) * FINE, (y + r) * FINE]
        self.pen.ellipse(box, outline=outline, width=int(width * FINE))

    def rect(self, x, y, w, h, fill):
        self.pen.rectangle([x * FINE, y * FINE, (x + w) * FINE - 1, (y + h) * FINE - 1], fill=fill)

    def text(self, x, y, words, size, fill, style="", anchor="mm"):
        font = ImageFont.truetype(FONT.format(style), size * FINE)
        self.pen.text((x * FINE, y * FINE), words, font=font, fill=fill, anchor=anchor)

    def glow(self, x, y, r, colour):
        veil = Image.new("L", self.image.size, 0)
        box = [(x - r) * FINE, (y - r) * FINE, (x + r) * FINE, (y + r) * FINE]
        ImageDraw.Draw(veil).ellipse(box, fill=150)
        self.image.paste(colour, mask=veil.filter(ImageFilter.GaussianBlur(r * FINE * 0.45)))
        self.pen = ImageDraw.Draw(self.image)

    def finish(self):
        return self.image.resize(self.size, Image.LANCZOS)


def blend(a, b, t):
    return tuple(round(p + (q - p) * t) for p, q in zip(a, b))


def sky(sheet, top, bottom, height):
    for y in range(height):
        sheet.rect(0, y, sheet.size[0], 1, blend(top, bottom, y / height))


def waves(sheet, top, deep, shallow, seed):
    """A sea from `top` down, in rows of flat waves that grow towards the viewer."""
    chance, (width, height) = Random(seed), sheet.size
    y, step = top, 5.0
    while y < height + 40:
        t = min(1, (y - top) / (height - top))
        shift, length = chance.uniform(0, 400), 60 + 220 * t
        crest = [(x, y + sin((x + shift) / length * 2 * pi) * step * 0.28) for x in range(-10, width + 20, 10)]
        sheet.polygon(crest + [(width + 10, height + 40), (-10, height + 40)], blend(shallow, deep, t))
        y, step = y + step, step * 1.17


def island(sheet, x, y, width, height, colour, seed=4):
    chance = Random(seed)
    top = [
        (x + width * i / 24, y - height * sin(pi * i / 24) * (0.8 + 0.25 * chance.random())) for i in range(25)
    ]
    sheet.polygon(top + [(x + width, y + 6), (x, y + 6)], colour)


def tower(sheet, x, foot, size, white=(244, 241, 232), red=(200, 56, 44), dark=(38, 46, 58)):
    """The light of Skerryholm, `size` high to the gallery, standing at (x, foot)."""
    low, high = size * 0.17, size * 0.105

    def half(part):
        return low + (high - low) * part

    def band(a, b, fill):
        ya, yb = foot - size * a, foot - size * b
        sheet.polygon([(x - half(a), ya), (x - half(b), yb), (x + half(b), yb), (x + half(a), ya)], fill)

    band(0, 1, white)
    for a, b in ((0.14, 0.3), (0.44, 0.6), (0.74, 0.9)):
        band(a, b, red)
    gallery = foot - size
    sheet.rect(x - high * 1.5, gallery - size * 0.03, high * 3, size * 0.035, dark)
    sheet.rect(x - high * 0.75, gallery - size * 0.2, high * 1.5, size * 0.17, (250, 226, 140))
    for bar in (-0.75, -0.25, 0.25, 0.75):
        sheet.line([(x + high * bar, gallery - size * 0.2), (x + high * bar, gallery)], dark, size * 0.009)
    sheet.polygon(
        [(x - high, gallery - size * 0.2), (x, gallery - size * 0.33), (x + high, gallery - size * 0.2)], dark
    )
    sheet.disc(x, gallery - size * 0.335, size * 0.018, dark)
    sheet.rect(x - size * 0.03, foot - size * 0.1, size * 0.06, size * 0.1, dark)


def the_light():
    """Dusk, the tower and its two beams."""
    s = Sheet(1200, 800, (20, 32, 62))
    sky(s, (18, 28, 60), (236, 150, 120), 560)
    chance = Random(7)
    for _ in range(90):
        s.disc(chance.uniform(0, 1200), chance.uniform(0, 300), chance.choice((0.8, 1.2, 1.7)), (226, 230, 245))
    lamp = (780, 262)
    for far in ((0, 120), (0, 240)), ((1200, 170), (1200, 300)):
        veil = Image.new("L", s.image.size, 0)
        points = [lamp, *far]
        ImageDraw.Draw(veil).polygon([(px * FINE, py * FINE) for px, py in points], fill=95)
        s.image.paste((255, 236, 170), mask=veil.filter(ImageFilter.GaussianBlur(10)))
    s.pen = ImageDraw.Draw(s.image)
    s.glow(*lamp, 130, (255, 232, 160))
    waves(s, 560, (14, 34, 62), (124, 112, 130), 3)
    island(s, 560, 640, 440, 60, (40, 44, 52))
    tower(s, 780, 608, 320)
    island(s, 640, 652, 300, 34, (30, 33, 40), seed=9)
    return s.finish(), {"x": 780, "y": 443, "rgb": [200, 56, 44]}


def sunset():
    """The sun goes down behind the skerries."""
    s = Sheet(1200, 800, (250, 180, 110))
    sky(s, (92, 74, 132), (255, 190, 110), 470)
    s.glow(600, 400, 260, (255, 214, 130))
    s.disc(600, 400, 84, (255, 244, 200))
    for x, y, w in ((120, 180, 300), (700, 130, 380), (420, 250, 240), (860, 300, 260)):
        s.disc(x + w / 2, y, w / 2, (226, 132, 120), ry=9)
    waves(s, 470, (40, 46, 92), (250, 160, 110), 8)
    for i, y in enumerate(range(480, 790, 22)):
        s.disc(600 + 14 * sin(i * 2.1), y, 60 + i * 5, (255, 210, 140), ry=4)
    for x, w, h, seed in ((60, 260, 34, 1), (330, 110, 16, 2), (860, 220, 28, 3)):
        island(s, x, 478, w, h, (52, 40, 72), seed)
    tower(s, 965, 452, 70, (70, 54, 88), (70, 54, 88), (60, 46, 78))
    return s.finish(), {"x": 600, "y": 395, "rgb": [255, 244, 200]}


def puffin():
    """A portrait."""
    s = Sheet(800, 800, (168, 206, 212))
    s.disc(400, 900, 520, (122, 160, 104), ry=260)
    for x in (330, 460):
        s.polygon([(x, 640), (x + 12, 700), (x + 44, 716), (x - 24, 716)], (236, 112, 42))
    s.disc(400, 470, 170, (34, 36, 44), ry=215)
    s.disc(408, 510, 124, (247, 245, 240), ry=172)
    s.polygon([(236, 420), (190, 600), (262, 560)], (34, 36, 44))
    s.disc(408, 260, 126, (34, 36, 44), ry=118)
    s.disc(436, 268, 94, (232, 230, 226), ry=78)
    s.polygon([(500, 204), (618, 262), (604, 300), (510, 344)], (236, 112, 42))
    s.polygon([(500, 204), (540, 223), (546, 326), (510, 344)], (70, 84, 116))
    s.line([(540, 223), (546, 326)], (246, 214, 92), 7)
    s.line([(512, 288), (606, 284)], (168, 70, 24), 4)
    s.polygon([(436, 226), (472, 250), (436, 264), (416, 248)], (90, 100, 124))
    s.disc(446, 246, 15, (200, 56, 44))
    s.disc(446, 246, 10, (20, 20, 24))
    s.disc(450, 242, 3.5, (255, 255, 255))
    s.text(400, 762, "Puffin of the month: Herr Larsson", 26, (255, 252, 240), "-Bold")
    return s.finish(), {"x": 408, "y": 560, "rgb": [247, 245, 240]}


def stamp():
    """A small picture with see-through perforations."""
    s = Sheet(160, 200, (246, 240, 222))
    s.rect(14, 14, 132, 172, (36, 92, 122))
    waves(s, 140, (16, 50, 78), (70, 130, 150), 2)
    s.rect(0, 186, 160, 14, (246, 240, 222))
    s.rect(0, 0, 14, 200, (246, 240, 222))
    s.rect(146, 0, 14, 200, (246, 240, 222))
    tower(s, 88, 150, 84)
    s.text(20, 30, "40", 20, (255, 250, 230), "-Bold", "lm")
    s.text(80, 193, "SKERRYHOLM", 9, (60, 50, 40))
    image = s.finish().convert("RGBA")
    holes = ImageDraw.Draw(image)
    for edge in range(0, 21):
        for x, y in ((edge * 8, 0), (edge * 8, 199), (0, edge * 10), (159, edge * 10)):
            holes.ellipse([x - 2.6, y - 2.6, x + 2.6, y + 2.6], fill=(0, 0, 0, 0))
    return image, {"x": 30, "y": 80, "rgb": [36, 92, 122]}


def chart():
    """A sea chart: land, shoals, soundings, compass."""
    s = Sheet(1400, 1000, (214, 232, 238))
    chance = Random(12)
    places = [(520, 480, 210, "SKERRYHOLM"), (910, 300, 70, "The Hen"), (1010, 420, 46, "Chicken"),
              (250, 250, 88, "Long Holm"), (820, 780, 120, "Sulen"), (1180, 720, 60, "Last Rock")]

    def coast(x, y, r, seed, grow):
        dents = Random(seed)
        radii = [r * dents.uniform(0.75, 1.1) for _ in range(18)]
        return [
            (x + (radii[i] + grow) * 1.25 * cos(i / 18 * 2 * pi), y + (radii[i] + grow) * 0.85 * sin(i / 18 * 2 * pi))
            for i in range(18)
        ]

    for grow, tone in ((74, (196, 222, 232)), (40, (172, 208, 224))):
        for n, (x, y, r, _) in enumerate(places):
            s.polygon(coast(x, y, r, n, grow), tone)
    for _ in range(150):
        x, y = chance.uniform(40, 1360), chance.uniform(110, 960)
        s.text(x, y, str(chance.randint(4, 48)), 13, (96, 132, 150))
    for n, (x, y, r, name) in enumerate(places):
        shore = coast(x, y, r, n, 0)
        s.polygon(shore, (240, 222, 164))
        s.line(shore + shore[:1], (118, 96, 60), 2.4)
        s.text(x, y + (0 if r > 80 else r + 26), name, 24 if r > 100 else 16, (84, 66, 40), "-Italic")
    x, y = 600, 420
    for turn in range(8):
        a = turn * pi / 4
        s.polygon([(x + 30 * cos(a), y + 30 * sin(a)), (x + 7 * cos(a + 0.4), y + 7 * sin(a + 0.4)),
                   (x + 7 * cos(a - 0.4), y + 7 * sin(a - 0.4))], (200, 56, 44))
    s.text(640, 398, "Fl(2) W 12s 31m 17M", 16, (150, 40, 60), anchor="lm")
    cx, cy = 1210, 190
    s.ring(cx, cy, 96, (118, 96, 60), 2)
    for turn in range(16):
        a, long = turn * pi / 8, (92, 40, 62, 40)[turn % 4]
        s.polygon([(cx + long * sin(a), cy - long * cos(a)), (cx + 10 * sin(a + 0.5), cy - 10 * cos(a + 0.5)),
                   (cx + 10 * sin(a - 0.5), cy - 10 * cos(a - 0.5))], (84, 66, 40) if turn % 4 == 0 else (168, 146, 104))
    s.text(cx, cy - 112, "N", 22, (84, 66, 40), "-Bold")
    s.rect(0, 0, 1400, 70, (250, 246, 232))
    s.text(40, 35, "Chart of the Skerries", 34, (84, 66, 40), "-Bold", "lm")
    s.text(1360, 35, "soundings in metres, more or less", 18, (84, 66, 40), "-Italic", "rm")
    return s.finish(), {"x": 470, "y": 540, "rgb": [240, 222, 164]}


def lens():
    """The lens of the third order, as a blueprint."""
    s = Sheet(1000, 1000, (24, 62, 110))
    ink, faint = (214, 230, 246), (60, 98, 146)
    for step in range(0, 1001, 50):
        s.line([(step, 0), (step, 1000)], faint, 0.7)
        s.line([(0, step), (1000, step)], faint, 0.7)
    for side in (340, 660):
        s.ring(side, 470, 56, ink, 3)
        for r in range(80, 150, 14):
            s.ring(side, 470, r, ink, 2)
    for row in range(9):
        y, lean = 250 - row * 14, 30 + row * 11
        s.polygon([(190 + lean, y), (810 - lean, y), (818 - lean, y + 9), (182 + lean, y + 9)], ink)
        y = 690 + row * 14
        s.polygon([(190 + lean, y), (810 - lean, y), (802 - lean, y - 9), (198 + lean, y - 9)], ink)
    s.line([(180, 270), (180, 670), (820, 670), (820, 270), (180, 270)], ink, 4)
    s.line([(500, 60), (500, 860)], ink, 1.5)
    s.line([(900, 128), (900, 820)], ink, 1.5)
    s.text(924, 474, "1.58 m", 20, ink, anchor="mm")
    s.rect(430, 830, 140, 34, ink)
    s.text(500, 900, "Fresnel lens, third order", 30, ink, "-Bold")
    s.text(500, 942, "two panels · 12 s a turn · clean gloves only", 20, ink, "-Italic")
    return s.finish(), {"x": 75, "y": 75, "rgb": [24, 62, 110]}


def plate(title, latin, number):
    s = Sheet(900, 1200, (247, 240, 222))
    s.line([(40, 40), (860, 40), (860, 1160), (40, 1160), (40, 40)], (150, 128, 96), 2)
    s.text(450, 1084, title, 34, (74, 62, 46), "-Bold")
    s.text(450, 1126, latin, 24, (74, 62, 46), "-Italic")
    s.text(820, 76, f"Plate {number}", 18, (120, 100, 76), anchor="rm")
    return s


def leaf(s, x, y, angle, length, width, fill, vein):
    """A leaf with a wavy edge, from its stalk at (x, y)."""
    edge = []
    for side in (1, -1):
        steps = range(0, 31) if side == 1 else range(30, -1, -1)
        for i in steps:
            t = i / 30
            out = side * width * sin(pi * t**0.8) * (1 + 0.12 * sin(t * 26))
            along = length * t
            edge.append((x + along * cos(angle) - out * sin(angle), y + along * sin(angle) + out * cos(angle)))
    s.polygon(edge, fill)
    s.line([(x, y), (x + length * 0.94 * cos(angle), y + length * 0.94 * sin(angle))], vein, 3)


def sea_kale():
    s = plate("Sea kale", "Crambe maritima L.", 1)
    green, pale = (104, 140, 136), (186, 206, 196)
    for angle, length in ((3.5, 300), (5.9, 310), (3.0, 280), (6.4, 270), (4.0, 330), (5.4, 320)):
        leaf(s, 450, 900, angle, length, 78, blend(green, (70, 108, 112), (angle * 7 % 1)), pale)
    chance = Random(31)
    for stem in range(9):
        a = -pi / 2 + (stem - 4) * 0.17
        end = (450 + 520 * cos(a), 880 + 640 * sin(a))
        s.line([(450, 900), (450 + 260 * cos(a), 880 + 330 * sin(a)), end], (132, 158, 128), 5)
        for _ in range(14):
            x, y = end[0] + chance.gauss(0, 34), end[1] + chance.gauss(0, 30)
            for petal in range(4):
                turn = petal * pi / 2 + 0.4
                s.disc(x + 8 * cos(turn), y + 8 * sin(turn), 7, (255, 253, 246))
            s.disc(x, y, 4, (222, 196, 90))
    s.disc(450, 905, 26, (150, 120, 92), ry=18)
    return s.finish(), {"x": 70, "y": 1000, "rgb": [247, 240, 222]}


def thrift():
    s = plate("Thrift", "Armeria maritima (Mill.) Willd.", 2)
    chance = Random(5)
    for _ in range(150):
        a, length = chance.uniform(-pi * 0.95, -pi * 0.05), chance.uniform(120, 230)
        x = 450 + chance.uniform(-150, 150)
        s.line([(x, 950), (x + length * cos(a), 950 + length * 0.7 * sin(a))], chance.choice(
            ((96, 132, 82), (120, 152, 92), (78, 112, 74))), 6)
    heads = ((450, 330, 96), (270, 430, 74), (640, 420, 78), (350, 560, 58), (560, 580, 60), (180, 620, 44), (720, 610, 46))
    for x, y, r in heads:
        s.line([(450 + (x - 450) * 0.2, 930), (450 + (x - 450) * 0.8, y + 200), (x, y)], (140, 122, 84), 6)
    for x, y, r in heads:
        for petal in range(40):
            a, far = chance.uniform(0, 2 * pi), r * chance.uniform(0.55, 1)
            s.disc(x + far * cos(a), y + far * 0.9 * sin(a), r * 0.22, blend((222, 112, 156), (246, 170, 198), chance.random()))
        s.disc(x, y, r * 0.5, (226, 124, 164))
    s.disc(450, 960, 210, (160, 142, 112), ry=26)
    return s.finish(), {"x": 450, "y": 330, "rgb": [226, 124, 164]}


def rain_chart(rows):
    """Bars of rain by month, from the rows of `Rain by month.csv`."""
    s = Sheet(1100, 680, (252, 251, 247))
    s.text(70, 50, "Rain at Skerryholm, in millimetres", 28, (44, 56, 68), "-Bold", "lm")
    for mm in range(0, 141, 20):
        y = 600 - mm * 3.4
        s.line([(80, y), (1060, y)], (222, 222, 214), 1)
        s.text(66, y, str(mm), 14, (110, 118, 124), anchor="rm")
    tones = {"2024": (178, 206, 216), "2025": (86, 148, 176), "2026": (24, 84, 120)}
    for place, (year, tone) in enumerate(tones.items()):
        s.rect(740 + place * 110, 40, 20, 20, tone)
        s.text(768 + place * 110, 50, year, 16, (44, 56, 68), anchor="lm")
        for month, row in enumerate(rows):
            if row[year]:
                x = 90 + month * 81 + place * 22
                s.rect(x, 600 - int(row[year]) * 3.4, 20, int(row[year]) * 3.4, tone)
    for month, row in enumerate(rows):
        s.text(122 + month * 81, 624, row["Month"][:3], 16, (44, 56, 68))
    s.text(70, 656, "1921 and other wet years are in the ledger, which is itself a little wet.", 13, (110, 118, 124), "-Italic", "lm")
    return s.finish(), {"x": 144, "y": 500, "rgb": [24, 84, 120]}


def month_scene(month):
    """A view from the gallery in one of the twelve months, for the calendar."""
    t = (1 - cos((month + 0.5) / 12 * 2 * pi)) / 2
    s = Sheet(900, 520, (200, 210, 220))
    sky(s, blend((74, 88, 124), (96, 170, 214), t), blend((206, 196, 206), (250, 232, 190), t), 330)
    s.disc(170 + month * 50, 250 - 160 * t, 34, blend((240, 236, 226), (255, 240, 170), t))
    waves(s, 330, blend((22, 40, 66), (18, 84, 112), t), blend((120, 134, 156), (150, 204, 210), t), month + 20)
    land = blend((104, 106, 100), (112, 150, 88), t)
    island(s, 430, 372, 470, 90, land, month + 1)
    island(s, 60, 342, 150, 18, blend(land, (120, 130, 150), 0.5), month + 5)
    tower(s, 690, 300, 170)
    chance = Random(month)
    if month in (0, 1, 11):
        for _ in range(260):
            s.disc(chance.uniform(0, 900), chance.uniform(0, 520), chance.uniform(1, 3), (250, 252, 255))
    for _ in range(3 + round(7 * t)):
        x, y, w = chance.uniform(40, 860), chance.uniform(50, 240), chance.uniform(8, 16)
        s.line([(x - w, y - w * 0.4), (x - w * 0.4, y - w * 0.6), (x, y), (x + w * 0.4, y - w * 0.6), (x + w, y - w * 0.4)], (60, 66, 78), 2)
    image = s.finish()
    grain = Image.effect_noise(image.size, 14).convert("RGB")
    return Image.blend(image, grain, 0.06)
