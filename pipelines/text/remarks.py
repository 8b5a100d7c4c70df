"""What a model says around its lines: yes, here they are, what they mean, and whether you want more."""

from __future__ import annotations

import re

#: What a line of copy is called where a model speaks of it. 문구 alone is stationery.
COPY = r"(?:카피(?:라이팅)?|슬로건|헤드라인|캐치프레이즈|태그라인|(?:광고|홍보|카피|한\s?줄|추천)\s?(?:문구|문안|문장))"
_THING = rf"(?:{COPY}|문구|문장|한\s?줄|결과물?|답변|아이디어|시안|제안|예시|버전)"
#: "Of course", alone or before an introduction.
YES = re.compile(
    r"^\W*(?:네|예|넵|물론(?:입니다|이죠|이에요|이지요|이죠|요)?|알겠(?:습니다|어요)|좋(?:습니다|아요)|그럼요|당연(?:하죠|합니다)"
    r"|확인(?:했습니다|하였습니다)|감사합니다|안녕하세요|반갑습니다"
    r"|sure(?: thing)?|of course|certainly|absolutely|okay|ok|got it|great|understood|yes|hello|hi"
    r"|当然(?:可以)?|好的|没问题|沒問題|可以|はい|もちろん(?:です)?|承知(?:いた)?しました|かしこまりました|わかりました)"
    r"(?:[\s!.,~…。！，、:：]+|$)",
    re.I,
)
_POLITE = r"(?:니다|어요|아요|에요|예요|네요|게요|려요|세요|까요|봤어요|해요|시오)"
_MADE = (
    r"(?:작성|제안|추천|준비|제시|생성|소개|정리|전달|공유|완성|구성|만들|지어|뽑|골라|써|적어|드리|드려|드릴|보여|담아"
    r"|담았|입니다|예요|이에요)"
)
#: Field names under which nothing of a line stands.
_FIELD = (
    r"(?:설명|해설|의도|작의|이유|근거|포인트|참고|비고|해석|번역|직역|의역|영어|영문|뜻|의미|특징|컨셉|콘셉트|톤|톤앤매너|어조|말투|수사법|기법|분위기"
    r"|글자\s?수|길이|배경|핵심|키워드|타깃|타겟|대상|상품명?|제품명?|가치|브랜드|형식|조건|요청|출처|효과|전략|발상"
    r"|explanation|note|rationale|reason|translation|english|meaning|tone|device|product|values?|说明|说明文|解释|解釋|說明|注|翻译|翻譯|説明|解説|訳|意図|补充)"
)
REMARKS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # 설명: …, 카피 의도: …
        rf"^\W*(?:(?:카피|문구|슬로건|제작|작성|선정|추천|기획|간단한|상품|제품|핵심|이|위)\s?)?{_FIELD}\s*\d{{0,2}}[\])*\s]*[:：]",
        # 아래는 요청하신 카피입니다
        rf"요청(?:하신|해\s?주신|에\s?(?:따라|맞)|대로|사항).*(?:{_THING}|작성|준비|{_POLITE})",
        rf"^\W*(?:다음|아래|이하|위|여기)(?:은|는|의|에|와|과|에서)?\s.*{_THING}.*{_POLITE}\W*$",
        rf"{COPY}\s?(?:\S{{1,4}}\s?(?:개|가지|줄|편))?(?:들|을|를|로|은|는|이|가)?\s?.{{0,16}}{_MADE}\S*\s?\S*{_POLITE}\W*$",
        rf"{COPY}\s?(?:들\s?)?(?:입니다|예요|이에요)\W*$",
        r"(?:다음|아래)과 같(?:습니다|아요|이 (?:작성|제안|준비|정리|써))",
        r"(?:크리에이티브 디렉터|카피라이터)(?:입니다|로서)|^\W*이상(?:입니다|이에요|으로)",
        r"다른\s(?:방향|톤|버전)\S*\s?.*(?:원하|필요)",
        # 이 카피는 … 강조합니다; 첫 줄은 …
        r"^\W*(?:이|위|각|해당|본|첫|두|세|\S+\s?번째)\s?(?:번째\s?)?(?:카피|문구|슬로건|헤드라인|줄|문장|표현)(?:들)?[은는이가도]\s.*"
        r"(?:강조|표현|전달|담았|담아|담고|살렸|살려|나타|활용|사용|반영|의미|연상|비유|드러|초점|구성|작성|일으)",
        # 필요하시면 더 써 드릴게요
        r"(?:필요|원)하(?:시면|신다면|시다면|면).*\b(?:더|추가|다른|수정|다시)\b.*(?:드릴|드리|보겠|볼게|말씀|알려|요청)",
        r"\b(?:더|추가로|다시|다르게|새로)\s?(?:많이\s)?(?:써|쓰|작성|제안|뽑아|수정|다듬어|만들어)\S*\s?(?:드릴|드리|볼까|보겠|볼게)",
        r"(?:수정|보완|변경|추가|다른\s\S+)(?:이|을|를|할|하고)?\s?(?:\S+\s)?(?:필요|원|싶으)\S*\s.*(?:말씀|알려|요청|문의)\S*\s?(?:주|하)",
        rf"(?:말씀|알려|골라|선택|요청)\S*\s?주(?:세요|십시오|시면|셔도).*{COPY}|{COPY}.*(?:말씀|알려|골라|선택|요청)\S*\s?주(?:세요|십시오|시면)",
        r"(?:추가|다른|더)\s?(?:로\s|적인\s)?(?:요청|수정|문의|질문|궁금|필요)\S*\s.*(?:말씀|알려|주세요|주십시오|하세요)",
        r"마음에\s?드(?:시는|셨)\S*.*(?:골라|선택|말씀|알려|사용해|좋겠)",
        r"도움이\s?되\S*\s?(?:바랍니다|바라요|바라며|바랄게요|좋겠)|(?:드릴|도와\s?드릴)\s?(?:수\s?있어|일이\s?있).*(?:기쁩|기뻐|말씀|\?)",
    )
)
#: What is said of a line, where it stands beside it.
EXPLAINS = re.compile(
    r"(?:을|를|로)\s(?:\S+\s)?(?:강조|표현|전달|비유|의인화|연상|부각|대비|암시|활용|묘사|상징)\S{0,8}\W*$"
    r"|(?:살린|담은|노린|이용한|강조한|표현한|활용한)\s?(?:\S+\s)?(?:카피|문구|슬로건|표현|한 줄)\W*$"
)
#: Said last, of whatever there was before; a line of copy might say it, too.
GOODBYE = re.compile(
    r"(?:필요|원)하시면|말씀해\s?주|알려\s?주(?:세요|십시오)|(?:문의|연락)\s?(?:해\s?)?주|하루\s?(?:되|보내)|행운을|감사합니다|화이팅|파이팅"
)


def is_remark(text: str) -> bool:
    """Whether a text speaks to the one who asked, or of the lines, and so is none itself."""
    rest, before = text.strip(), None
    while rest != before:
        before, rest = rest, YES.sub("", rest, count=1)
    return not rest or any(pattern.search(rest) for pattern in REMARKS)


def explains(text: str) -> bool:
    """Whether a text that stands beside a line says what that does."""
    return is_remark(text) or bool(EXPLAINS.search(text))


def is_goodbye(text: str) -> bool:
    """Whether a text that comes last, after lines, is a closing remark."""
    return is_remark(text) or bool(GOODBYE.search(text))
