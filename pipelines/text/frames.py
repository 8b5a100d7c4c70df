"""What a model puts around a line of copy: numbers, labels, quotes, translations; and what holds no line at all."""

from __future__ import annotations

import re

from pipelines.text.remarks import explains, is_remark

_KOREAN = (
    r"(?:(?:광고|홍보|메인|서브|브랜드|최종|추천|대표|한\s?줄|완성된?)\s*)*"
    r"(?:카피(?:라이팅|\s?문구)?|문구|문안|슬로건|헤드라인|캐치프레이즈|태그라인|표어|한\s?줄)"
    r"(?:\s?(?:제안|결과|예시|목록|리스트|모음|아이디어|초안))?"
)
_ENGLISH = (
    r"(?:(?:the|final|main|ad|advertising|suggested|short|one[- ]line|korean)\s+)*"
    r"(?:ad\s?copy|copy|tag\s?line|slogan|headline|catch\s?phrase|caption)"
)
_EASTERN = (
    r"(?:广告|廣告|広告)?(?:文案|标语|標語|口号|口號|标题|標題|[语語词詞]"
    r"|(?:キャッチ)?コピー|キャッチフレーズ|スローガン|見出し)"
)
#: Words of other languages before a colon; copy in Korean does not begin with one.
_FOREIGN = (
    r"options?|versions?|variants?|variations?|ideas?|lines?|suggestions?|answers?|outputs?|results?|text|korean"
    r"|方案|选项|選項|版本|案|结果|結果|回答|韩[语文]|韓[語文]|韓国語|한국어"
)
_DEVICE = r"(?:의인|은유|직유|대구|대조|과장|역설|반어|도치|점층|열거|반복|설의|환유|영탄|문답)법|언어유희|말장난"
_COUNT = r"\s*[#＃]?\s*(?:\d{1,2}|[A-Ea-e]|[一二三四五六七八九十])(?:번째?)?(?![\w.,])"
#: What a line is called; some words only with a number.
NAME = (
    rf"(?:(?:{_KOREAN}|{_ENGLISH}|{_EASTERN}|{_FOREIGN}|{_DEVICE})(?:{_COUNT})?"
    rf"|(?:시안|버전|옵션|후보|제안|예시|답변?|결과|안){_COUNT}|\d{{1,2}}\s?안)"
)
#: `카피:`, `[카피 1]`, `Copy 1 —`, `文案一：`, `카피 1 (의인법):`; the product may stand before `카피`.
LABEL = re.compile(
    rf"^\W{{0,4}}(?:(?:\S+\s+){{0,3}}?(?:카피|슬로건|캐치프레이즈)(?:{_COUNT})?|줄{_COUNT}|{NAME})"
    rf"(?:\s*[(（][^)）]{{1,20}}[)）])?[\])>】*_」\s]*[:：][*_\s]*"
    rf"|^[\[(<【]\s*{NAME}\s*[\])>】]\s*|^[*_]*{NAME}(?<=[\d一二三四五六七八九十])[*_]*\s*[.)\-–—]\s+",
    re.I,
)
NAMED = re.compile(rf"\W*(?:{NAME}|시안|버전|옵션|후보)(?:\s*[(（][^)）]*[)）])?\W*", re.I)
#: `1. `, `(2) `, `③`, `一、`, `No. 4`, `a) `; a decimal number or a time of day begins a line.
NUMBER = re.compile(
    r"^(?:[(\[【（]\s*\d{1,2}\s*[)\]】）]"
    r"|(?:no|№)?\.?\s*\d{1,2}\s*(?:[.)、．）](?=\s|[^\W\d]|[\"“'‘「『*<])|[:：]\s|\t)"
    r"|[#＃]\s?\d{1,2}[.:)]?\s|\d\ufe0f?\u20e3|[①-⑳❶-❿➀-➓]"
    r"|[一二三四五六七八九十]{1,2}[、.．)）]|[a-e가나다라마][)）]\s)\s*",
    re.I,
)
#: `- `, `• `, `> ` and the like; a minus sign begins a line.
BULLET = re.compile(r"^(?:[-–—*+·>～~]\s+|[•●▪◦○■□◆◇▶►▷➤➔→✅✔☑★☆※✨👉\ufe0f]+\s*)")
HEADING = re.compile(r"^#{1,6}\s+")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
PAIRS = {'"': '"', "“": "”", "'": "'", "‘": "’", "「": "」", "『": "』", "«": "»", "＂": "＂", "`": "`", "*": "*"}
#: A line in bold or quotes, then what is said of it; shorter quotes are words of a line.
QUOTED = re.compile(
    r"^(?:\*\*([^*]{6,})\*\*|\"([^\"]{6,})\"|“([^”]{6,})”|「([^」]{6,})」|『([^』]{6,})』)\s*(?:[-–—:：→|(（=]\s*\S.*|[,;.])$"
)
#: An introduction with the line in quotes after it: 다음과 같습니다. "…"
QUOTED_LAST = re.compile(r"[.:：!]\s*(?:\"([^\"]{6,})\"|“([^”]{6,})”|「([^」]{6,})」|『([^』]{6,})』)[.!]?$")
#: What may be said after a line, in brackets or after a dash.
AFTER = re.compile(r"\s*(?:[(（\[]([^()（）\[\]]+)[)）\]]|\s[-–—/|=→⇒]+\s+(\S.*))[.!]?$")
LENGTH = re.compile(r"\W*(?:공백\s?\S{0,3}\s?)?\d{1,3}\s?(?:자|글자|字|chars?|characters|文字)\W*", re.I)
HANGUL = re.compile(r"[가-힣]")
#: Words in other letters; one or two may stand in a line of copy.
WORDS = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}|[\u3040-\u30ff\u4e00-\u9fff]{2}")
#: An introduction before the lines: 다음은 …입니다:
INTRODUCTION = re.compile(r"[:：][*_\s]*$")
#: No line of copy is longer, and no frame is looked for in what is; in characters.
LONGEST = 300


def bare(line: str) -> str:
    """A line without what surrounds it: number, bullet, label, bold, quotes, a translation or remark after it.

    Examples:
        `2. **카피 2:** "월요일도 반쯤은 금요일" (Half of Monday is Friday)` becomes `월요일도 반쯤은 금요일`.
    """
    text, before = TAG.sub("", line).strip(), None
    while text != before and len(text) <= LONGEST:
        before = text
        for pattern in (HEADING, BULLET, NUMBER, LABEL):
            text = pattern.sub("", text, count=1).strip()
        text = unwrap(_without_remark(text)).strip()
    return text.replace("**", "").strip()


def is_frame(line: str) -> bool:
    """Whether a line of an answer holds no copy: an introduction, a heading, an explanation, another language."""
    stripped, text = line.strip(), bare(line)
    if len(stripped) > LONGEST:
        return False
    # A heading may hold a line, with a number of its own.
    heads = stripped.startswith("#") and text == stripped.lstrip("#").strip()
    introduces = heads or bool(INTRODUCTION.search(stripped)) or bool(NAMED.fullmatch(text))
    return introduces or is_remark(text) or is_foreign(text)


def copy_in(line: str) -> str:
    """The copy that a line of an answer holds, bare; empty where that is none."""
    if not is_frame(line):
        return bare(line)
    quoted = QUOTED_LAST.search(line.replace("**", "").strip())
    inside = next(filter(None, quoted.groups())) if quoted else ""
    return "" if is_frame(inside) else inside


def is_foreign(text: str) -> bool:
    """Whether a text is in another language, though it may name a product in Hangul, or in none."""
    hangul, words = len(HANGUL.findall(text)), WORDS.findall(text)
    return not hangul or (len(words) > 2 and sum(map(len, words)) > hangul)


def unwrap(text: str) -> str:
    """Take one pair of quotes off, or of marks for bold, if they hold the whole text: `"가" 그리고 "나"` stays."""
    if len(text) < 2 or PAIRS.get(text[0]) != text[-1]:
        return text
    inside = text[1:-1]
    if text[:2] == text[-2:] == "**" and len(text) > 4:
        return text if "**" in text[2:-2] else text[2:-2]
    return text if text[0] in inside or text[-1] in inside else inside


def _without_remark(text: str) -> str:
    if found := QUOTED.match(text):
        inside = next(filter(None, found.groups()))
        return text if NAMED.fullmatch(inside) or LABEL.match(inside) else inside
    found = AFTER.search(text)
    if not found or not HANGUL.search(text[: found.start()]):
        return text
    remark = found[1] or found[2]
    translates = not HANGUL.search(remark) and bool(WORDS.search(remark))
    aside = translates or LENGTH.fullmatch(remark) or NAMED.fullmatch(remark) or explains(remark)
    return text[: found.start()] if aside else text
