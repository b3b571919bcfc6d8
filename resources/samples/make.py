"""Draws the three sample bills: `python resources/samples/make.py [FOLDER]`. All names in them are invented.

The files are the same each time: the noise has a fixed seed, and the present date is not used.
"""

import random
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
FONTS = HERE.parent / "fonts"
INK = (38, 38, 44)
PALE = (120, 120, 128)


def font(size: int, weight: str = "Regular") -> ImageFont.FreeTypeFont:
    """Return Inter at `size` pixels."""
    return ImageFont.truetype(str(FONTS / f"Inter-{weight}.otf"), size)


class Sheet:
    """A sheet of paper. Its methods write from top to bottom."""

    def __init__(self, width: int, height: int, margin: int, paper: tuple[int, int, int] = (255, 255, 255)):
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.margin, self.y = width, margin, margin

    def line(self, text: str, size: int, weight: str = "Regular", align: str = "left", ink=INK) -> None:
        """Write a line of text."""
        face = font(size, weight)
        length = self.draw.textlength(text, face)
        x = {
            "left": self.margin,
            "centre": (self.width - length) / 2,
            "right": self.width - self.margin - length,
        }
        self.draw.text((x[align], self.y), text, ink, face)
        self.y += round(size * 1.5)

    def pair(self, left: str, right: str, size: int, weight: str = "Regular") -> None:
        """Write a name and its value on one line."""
        y = self.y
        self.line(left, size, weight)
        self.y = y
        self.line(right, size, weight, "right")

    def row(self, cells: list[str], stops: list[int], size: int, weight: str = "Regular") -> None:
        """Write a row of a table. The first cell is left-aligned, the others are right-aligned at `stops`."""
        face = font(size, weight)
        self.draw.text((self.margin, self.y), cells[0], INK, face)
        for cell, stop in zip(cells[1:], stops, strict=True):
            self.draw.text((stop - self.draw.textlength(cell, face), self.y), cell, INK, face)
        self.y += round(size * 1.75)

    def rule(self, dashed: bool = False, gap: int = 18) -> None:
        """Draw a horizontal line."""
        self.y += gap
        step = 14 if dashed else self.width
        for x in range(self.margin, self.width - self.margin, step * 2 if dashed else step):
            end = min(x + step, self.width - self.margin)
            self.draw.line((x, self.y, end, self.y), PALE, 2)
        self.y += gap


def taxi_receipt() -> Image.Image:
    """Return a photo of a paper receipt on a desk, upright as the photographer sees it."""
    paper = Sheet(560, 900, 48, (250, 248, 240))
    paper.line("SHAKTI CABS", 40, "Bold", "centre")
    paper.line("Sample Road, Pune 411 000", 20, align="centre", ink=PALE)
    paper.line("Receipt no. 004217", 20, align="centre", ink=PALE)
    paper.rule(dashed=True)
    for left, right in (
        ("Date", "20 Nov 2026"),
        ("From", "Station Road"),
        ("To", "Client site, Baner"),
        ("Distance", "31.4 km"),
        ("Waiting", "12 min"),
    ):
        paper.pair(left, right, 24)
    paper.rule(dashed=True)
    for left, right in (("Base fare", "₹120.00"), ("Distance", "₹1,066.00"), ("Toll", "₹64.00")):
        paper.pair(left, right, 24)
    paper.rule()
    paper.pair("TOTAL", "₹1,250.00", 34, "Bold")
    paper.pair("Paid by", "Cash", 24)
    paper.rule(dashed=True)
    paper.line("Thank you. Travel safely.", 22, align="centre", ink=PALE)
    return _photographed(paper.image)


def _photographed(paper: Image.Image) -> Image.Image:
    dice = random.Random(42)  # noqa: S311 - grain, not a secret
    desk = Image.new("RGB", (1200, 1600), (116, 86, 62))
    grain = ImageDraw.Draw(desk)
    for _ in range(420):
        x, shade = dice.randrange(1200), dice.randrange(-14, 14)
        grain.line((x, 0, x + dice.randrange(-60, 60), 1600), (116 + shade, 86 + shade, 62 + shade), 3)
    big = paper.resize((840, 1350), Image.Resampling.LANCZOS)
    mask = Image.new("L", big.size, 255)
    tilt = {"resample": Image.Resampling.BICUBIC, "expand": True}
    big, mask = big.rotate(-3.2, **tilt), mask.rotate(-3.2, **tilt)
    at = (150, 110)
    shadow = Image.new("L", desk.size, 0)
    shadow.paste(mask, (at[0] + 16, at[1] + 22))
    shadow = shadow.filter(ImageFilter.GaussianBlur(22)).point(lambda v: v * 0.55)
    desk.paste((20, 14, 10), (0, 0), shadow)
    desk.paste(big, at, mask)
    light = Image.linear_gradient("L").resize(desk.size).point(lambda v: 205 + v * 0.2)
    desk = ImageChops.multiply(desk, Image.merge("RGB", (light, light, light)))
    noise = Image.frombytes("L", (300, 400), dice.randbytes(120_000)).resize(desk.size)
    noise = noise.point(lambda v: 244 + v * 11 // 255)
    desk = ImageChops.multiply(desk, Image.merge("RGB", (noise, noise, noise)))
    return desk.filter(ImageFilter.GaussianBlur(0.7))


def stationery_bill() -> Image.Image:
    """Return a scan of a shop's bill."""
    paper = Sheet(1240, 1500, 90)
    paper.line("Kamal Paper Mart", 56, "Bold")
    paper.line("12 Sample Lane, Pune 411 000 · GSTIN 00XXXXX0000X0X0 (sample)", 26, ink=PALE)
    paper.rule()
    paper.pair("Tax invoice KPM/26-27/0318", "21 Nov 2026", 30, "SemiBold")
    paper.line("To: Asha Rao", 30)
    paper.rule()
    stops = [720, 930, 1150]
    paper.row(["Item", "Qty", "Rate", "Amount"], stops, 28, "SemiBold")
    for cells in (
        ["A4 paper, 75 gsm, 500 sheets", "10", "₹285.00", "₹2,850.00"],
        ["Toner cartridge, black", "2", "₹2,340.00", "₹4,680.00"],
        ["File folders, pack of 10", "1", "₹96.27", "₹96.27"],
    ):
        paper.row(cells, stops, 28)
    paper.rule()
    for left, right in (
        ("Taxable value", "₹7,626.27"),
        ("CGST 9 %", "₹686.36"),
        ("SGST 9 %", "₹686.37"),
    ):
        paper.pair(left, right, 28)
    paper.rule()
    paper.pair("Total", "₹8,999.00", 44, "Bold")
    paper.line("Rupees eight thousand nine hundred ninety-nine only", 26, ink=PALE)
    paper.y = 1320
    paper.line("Goods once sold are exchanged within seven days.", 24, ink=PALE)
    return paper.image


def hotel_invoice() -> list[Image.Image]:
    """Return the two pages of a hotel's invoice."""
    first = Sheet(1240, 1754, 110)
    first.line("Hotel Chandni", 60, "Bold")
    first.line("Lake View Road, Udaipur 313 000 (sample)", 28, ink=PALE)
    first.rule()
    for left, right in (
        ("Invoice", "HC-2026-1187"),
        ("Guest", "Asha Rao"),
        ("Arrival", "21 Nov 2026"),
        ("Departure", "22 Nov 2026"),
    ):
        first.pair(left, right, 30)
    first.rule()
    for left, right in (("Breakfast", "₹320.25"), ("Tea and snacks", "₹320.25")):
        first.pair(left, right, 32)
    first.rule()
    first.pair("Total", "₹640.50", 46, "Bold")
    first.y = 1610
    first.line("Page 1 of 2", 24, align="centre", ink=PALE)
    second = Sheet(1240, 1754, 110)
    second.line("Terms", 48, "Bold")
    for text in (
        "Payment is due on departure.",
        "Please check this invoice on receipt; later corrections need the original.",
        "This is a sample invoice of a hotel that does not exist.",
    ):
        second.line(text, 28)
    second.y = 1610
    second.line("Page 2 of 2", 24, align="centre", ink=PALE)
    return [first.image, second.image]


def make(folder: Path) -> None:
    """Write the three bills into `folder`."""
    upright = taxi_receipt()
    # A phone held upright stores its photos rotated. EXIF tag 0x0112 says how to turn them back (6: by 90°).
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "taxi-receipt.jpg", quality=82, exif=exif)
    stationery_bill().quantize(64).save(folder / "stationery-bill.png", optimize=True)
    pages = [page.convert("L") for page in hotel_invoice()]
    pages[0].save(
        folder / "hotel-invoice.pdf",
        save_all=True,
        append_images=pages[1:],
        resolution=150,
        creationDate="",
        modDate="",
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
