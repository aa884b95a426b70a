"""Typesets the PDFs of the sample account. Each function returns what its pages say,
as {page number: a phrase on that page}, for tests to look for."""

from calendar import Calendar, month_name
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, A5, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Frame, Paragraph, Spacer

INK, RED, QUIET = HexColor("#2d3a45"), HexColor("#c8382c"), HexColor("#7b8894")
TITLE = ParagraphStyle("title", fontName="Times-Bold", fontSize=26, leading=32, textColor=INK, spaceAfter=18)
TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=13, leading=19, textColor=INK, spaceAfter=10)


def chapters(source):
    """(heading, paragraphs) for each `# heading` of a text."""
    for part in source.read_text(encoding="utf-8").split("# ")[1:]:
        heading, *paragraphs = [line.strip() for line in part.splitlines() if line.strip()]
        yield heading, paragraphs


def open_canvas(path, size, title):
    canvas = Canvas(str(path), pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("Robin Holm")
    return canvas


def fill(canvas, flow, x, y, width, height):
    frame = Frame(x, y, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    frame.addFromList(flow, canvas)
    if flow:
        raise ValueError("the text does not fit on its page")


def footer(canvas, words, number, width):
    canvas.setFont("Times-Italic", 10)
    canvas.setFillColor(QUIET)
    canvas.drawString(64, 42, words)
    canvas.drawRightString(width - 64, 42, str(number))


def small_tower(canvas, x, y, size):
    """The tower as an ornament."""

    def half(part):
        return size * (0.17 - 0.065 * part)

    def band(a, b, colour):
        path = canvas.beginPath()
        path.moveTo(x - half(a), y + size * a)
        path.lineTo(x - half(b), y + size * b)
        path.lineTo(x + half(b), y + size * b)
        path.lineTo(x + half(a), y + size * a)
        path.close()
        canvas.setFillColor(colour)
        canvas.drawPath(path, stroke=0, fill=1)

    band(0, 1, HexColor("#e9e4d8"))
    for a, b in ((0.14, 0.3), (0.44, 0.6), (0.74, 0.9)):
        band(a, b, RED)
    canvas.setFillColor(INK)
    canvas.rect(x - size * 0.16, y + size, size * 0.32, size * 0.03, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#f6d55c"))
    canvas.rect(x - size * 0.08, y + size * 1.03, size * 0.16, size * 0.17, stroke=0, fill=1)
    canvas.setFillColor(INK)
    canvas.wedge(x - size * 0.13, y + size * 1.06, x + size * 0.13, y + size * 1.34, 0, 180, stroke=0, fill=1)


def book(source, path, size, title, subtitle):
    """A cover, then one page for each chapter."""
    canvas, (width, height) = open_canvas(path, size, title), size
    small_tower(canvas, width / 2, height * 0.42, height * 0.24)
    canvas.setFillColor(INK)
    canvas.setFont("Times-Bold", width * 0.062)
    canvas.drawCentredString(width / 2, height * 0.3, title)
    canvas.setFont("Times-Italic", width * 0.03)
    canvas.drawCentredString(width / 2, height * 0.25, subtitle)
    canvas.showPage()
    says, number = {"1": title}, 1
    for heading, paragraphs in chapters(source):
        number += 1
        flow = [Paragraph(heading, TITLE)] + [Paragraph(words, TEXT) for words in paragraphs]
        fill(canvas, flow, 64, 80, width - 128, height - 150)
        small_tower(canvas, width - 82, height - 62, 26)
        footer(canvas, title, number, width)
        canvas.showPage()
        says[str(number)] = heading
    canvas.save()
    return says


def letter(source, path):
    canvas, (width, height) = open_canvas(path, A4, "Letter to Aunt Edda"), A4
    says = {}
    for number, page in enumerate(source.read_text(encoding="utf-8").split("---\n"), 1):
        parts = [part.replace("\n", "<br/>") for part in page.strip().split("\n\n")]
        style = ParagraphStyle("letter", TEXT, fontName="Times-Italic", fontSize=14, leading=22)
        flow = [Spacer(1, 30)] + [Paragraph(part, style) for part in parts]
        fill(canvas, flow, 90, 80, width - 180, height - 150)
        canvas.setFillColor(QUIET)
        canvas.setFont("Times-Roman", 10)
        canvas.drawCentredString(width / 2, 42, f"- {number} -")
        canvas.showPage()
        says[str(number)] = {1: "Dear Aunt Edda", 2: "Now it is stair 62"}[number]
    canvas.save()
    return says


def calendar(path, year, scene):
    """A cover and twelve months; `scene(month)` paints the picture above the days."""
    size = landscape(A5)
    canvas, (width, height) = open_canvas(path, size, f"Skerryholm {year}"), size
    canvas.setFillColor(HexColor("#f4efe2"))
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    small_tower(canvas, width / 2, height * 0.4, height * 0.34)
    canvas.setFillColor(INK)
    canvas.setFont("Times-Bold", 34)
    canvas.drawCentredString(width / 2, height * 0.2, f"Skerryholm {year}")
    canvas.setFont("Times-Italic", 14)
    canvas.drawCentredString(width / 2, height * 0.12, "twelve views from the gallery")
    canvas.showPage()
    says = {"1": f"Skerryholm {year}"}
    for month in range(12):
        picture = BytesIO()
        scene(month).save(picture, "JPEG", quality=72)
        canvas.drawImage(ImageReader(picture), 0, height * 0.4, width, height * 0.6)
        canvas.setFillColor(INK)
        canvas.setFont("Times-Bold", 20)
        canvas.drawString(30, height * 0.33, f"{month_name[month + 1]} {year}")
        draw_days(canvas, year, month + 1, width, height * 0.27)
        canvas.showPage()
        says[str(month + 2)] = f"{month_name[month + 1]} {year}"
    canvas.save()
    return says


def draw_days(canvas, year, month, width, top):
    step = (width - 60) / 7
    canvas.setFont("Helvetica-Bold", 8)
    canvas.setFillColor(QUIET)
    for column, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        canvas.drawString(30 + column * step, top, name)
    canvas.setFont("Helvetica", 11)
    for row, week in enumerate(Calendar().monthdayscalendar(year, month)):
        for column, day in enumerate(week):
            if day:
                canvas.setFillColor(RED if column == 6 else INK)
                canvas.drawString(30 + column * step, top - 16 - row * 15, str(day))
