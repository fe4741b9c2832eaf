"""The words by which people ask about their vault, in Russian and English, whatever is in it."""

from __future__ import annotations

from collections.abc import Mapping

# What is done to such things: the words of a question, and how properties and their values say that it is done.
ACTIONS: Mapping[str, tuple[str, str]] = {
    "read": (
        r"прочит\w+|проч[её]л|прочл\w+|дочит\w+|read|finished reading",
        r"read|прочит\w*|прочт\w*|дочит\w*",
    ),
    "be reading": (r"читаю|(?:am )?reading", r"reading|читаю|current"),
    "be watching": (r"смотрю|(?:am )?watching", r"watching|смотрю|current"),
    "watch": (r"посмотр\w+|просмотр\w+|watch(?:ed)?|seen|saw|see", r"watched|seen|viewed|посмотр\w*|просмотр\w*"),
    "listen": (r"послуша\w+|прослуша\w+|listen(?:ed)? to|heard", r"listened|heard|послуша\w*|прослуша\w*"),
    "play": (r"прош[её]л|прошла|сыграл\w*|play(?:ed)?|beat", r"played|пройден\w*|сыгра\w*"),
    "visit": (
        r"посети\w+|съездил\w*|побывал\w*|visit(?:ed)?|went to|go to|travell?(?:ed)? to",
        r"visited|посе[щт]\w*|съезд\w*",
    ),
    "start": (
        r"начал\w*|стартовал\w*|start(?:ed)?|began|begin",
        r"start\w*|begin|began|begun|начал\w*|начат\w*|старт\w*",
    ),
    "finish": (
        r"закончил\w*|завершил\w*|закончен\w+|завершен\w+|finish(?:ed)?|complete(?:d)?|end(?:ed)?|done with",
        r"finish\w*|complet\w*|end|ended|done|закончен\w*|завершен\w*|окончан\w*|конец",
    ),
    "buy": (r"купил\w*|приобр[её]л\w*|куплен\w+|bought|buy|purchased?", r"bought|purchased?|куплен\w*|покупк\w*"),
    "cook": (r"приготовил\w*|готовил\w*|cook(?:ed)?|bake(?:d)?", r"cooked|baked|made|приготовл\w*"),
}
# A thing that was read or watched is one that is done with.
DONE_TOO = {"read": "finish", "watch": "finish", "listen": "finish", "play": "finish"}
# Values by which properties say that something is done.
DONE_WORDS = (
    "reading watching current читаю смотрю"
    " read finished completed done ended watched seen viewed listened heard played visited started bought cooked"
    " прочитано прочтено дочитано просмотрено посмотрел прослушано пройдено сыграно посещено съездил начато куплено"
    " приготовлено завершено закончено окончено"
)
# "Haven't read", «непрочитанные», "unread".
NEGATED = (
    r"(?:(?:ещ[её] )?не|не было|haven't|have not|hasn't|didn't|did not|not|never|have never)(?: i| we| yet| been| я)* "
)
UNDONE: Mapping[str, str] = {
    "read": r"непрочитанн\w{1,3}|недочитанн\w{1,3}|unread",
    "watch": r"непросмотренн\w{1,3}|unwatched|unseen",
    "finish": r"незаверш[её]нн\w{1,3}|незаконченн\w{1,3}|unfinished|incomplete|not finished",
}

GENERIC = r"замет(?:ка|ки|ок|ку|кой|кам|ками|ках|ке)|запис(?:ь|и|ей|ям|ями|ях|ью)|файл\w{0,3}|документ\w{0,3}" + (
    r"|(?<=каких )страниц|notes?|entry|entries|files?|documents?|write-?ups?|pages(?= (?:that|which|link|in my vault))"
    r"|anything|everything|all of it"
)
WRITING = (
    r"(?:за|на)?пис(?:ал|ывал)[аи]?|записан\w*|создал\w*|создан\w*|завел\w*|добавил\w*|отметил\w*|сделал\w*|делал\w*"
    r"|wr(?:ite|ote|itten)(?: down)?|created?|noted?|jot(?:ted)? down|record(?:ed)?|added|made|took|taken|logged|kept"
)
TASKS = (
    r"задач[аиеуой]?\w{0,2}|дел(?:а|ам|ами|ах)?|туду\w{0,3}|тудушк\w+|поручени\w{1,3}|чекбокс\w{0,3}|напоминани\w{1,3}"
    r"|tasks?|to-?dos?|to do items?|actions?(?: items?)?|checkboxes|chores|reminders?"
)
OPEN = (
    r"незакрыт\w{1,3}|открыт\w{1,3}|невыполненн\w{1,3}|несделанн\w{1,3}|незавершенн\w{1,3}|неоконченн\w{1,3}"
    r"|не (?:закрыт|выполнен|сделан|завершен|доделан|отмечен)\w{0,3}|(?:еще )?остал(?:ось|ись|ась|ся)(?: сделать)?"
    r"|оставши\w{1,4}|висят|висит|предстоящ\w{1,3}|текущ\w{1,3}"
    r"|open|unfinished|incomplete|not (?:yet )?(?:done|finished|completed?|closed)|pending|outstanding|remaining|left"
    r"(?: to do)?|undone|uncompleted|unchecked|unticked|still have(?: to do)?|need to do"
)
DONE = (
    r"закрыт\w{1,3}|выполнен\w{0,4}|сделан\w{0,4}|завершен\w{0,4}|закрыл\w?|выполнил\w?|завершил\w?|(?:с|до)делал\w?"
    r"|done|finished|completed?|closed|checked(?: off)?|ticked(?: off)?"
)
CANCELLED = r"отменен\w{0,4}|отмененн\w{1,3}|cancell?ed|dropped"
OVERDUE = r"просрочен\w{0,4}|overdue|past(?: their| its)? due(?: date)?|missed (?:the|their) deadline"
DUE = (
    r"(?:с|со) (?:сроком|дедлайном)(?: (?:до|на|к))?|срок\w{0,3}|дедлайн\w{0,3}|запланированн?\w{1,3}"
    r"|due(?: dates?)?|deadlines?|scheduled"
)
# «Что мне осталось сделать?», "what is overdue?": tasks that are not called so.
WHAT_TASKS = (
    r"что(?: мне| нам| у меня| еще| там)*"
    r"(?= (?:осталось|не сделано|не доделано|не закрыто|просрочено|висит|нужно сделать|надо сделать))"
    r"|что(?: мне| нам| еще)* (?:нужно|надо)(?: еще)? (?:с|до)делать"
    r"|what (?:do i|do we|must i|should i)(?: still)? (?:have|need) to do|what (?:have|do) i (?:got )?(?=left to do)"
    r"|what(?:'s| is| are)?(?: still)?(?= (?:left to do|overdue|due|unfinished|pending|outstanding|undone))"
)
WHAT_WRITTEN = (
    r"что (?:же )?(?:я |мы |у меня )?(?:было )?(?:за|на)?пис(?:ал|ывал)\w?"
    r"|что (?:я |мы )?(?:отмечал|заносил|фиксировал)\w?"
    r"|что (?:было )?(?:записано|датировано)|what(?:'s| is| was) (?:dated|written down)"
    r"|what (?:did|have|had) (?:i|we) (?:write|written|note|noted|record|recorded|jot|log|logged)(?: down)?"
)
WHAT_DONE = (
    r"что (?:я |мы )?(?:делал|сделал)\w?|что (?:было|происходило|случилось)|чем (?:я |мы )?занимал\w{1,3}"
    r"|what (?:did|have|had) (?:i|we) (?:do|done)|what happened|what was going on"
)
COUNT = (
    r"сколько|как(?:ое|ово) (?:количество|число)|посчитай\w*|подсчитай\w*|(?:the )?(?:total )?(?:number|count) of"
    r"|how many|count(?: up)?"
)
IMPERATIVE = (
    r"(?:перечисл|покаж|вывед|назов|выпиш)и\w{0,2}|дай(?:те)?(?: мне)?(?: список)?|состав\w+ список|список"
    r"|найди(?:те)?(?= все)"
    r"|list(?: of| out)?|show(?: me)?|give me(?: a list of)?|display|enumerate|name|find(?: me)?(?= all)|get me"
)
INTERROGATIVE = (
    r"(?:(?:у|в|во|с|со|на|из) )?как(?:ие|их|им|ими|ая|ую|ой|ом|ое)(?: из| дни)?|что за|есть ли|у кого(?: из)?|у чего"
    r"|(?:что|кто)(?= (?:есть|лежит|хранится|находится|у меня|ссыла|указыва|упомина|помечен|отмечен))"
    r"|(?:(?:on|in|at) )?(?:which|what)(?:'s| is| are| was| were)?(?: days)?(?: of)?"
    r"|are there any|is there any(?:thing)?|do (?:i|we) have any"
    r"|have (?:i|we) got any|where are|did (?:i|we) leave any|who has|whose"
)
WHO = r"кто(?: из)?|who(?: of)?"
WHEN = r"когда|какого числа|when|what date|on (?:what|which) (?:day|date)"
ALL = r"все[хм]?|весь|вся|всю|всей|всего|всякие|любые|all|every|each|total|in total|any|overall"
LATEST = r"последн\w{2,3}|сам\w{2,3} (?:нов|свеж|недавн|поздн)\w{2,3}|(?:the |my )?(?:latest|most recent|newest|last)"
EARLIEST = r"перв(?:ая|ый|ое|ые|ую|ой|ых)|сам\w{2,3} (?:ранн|стар|давн)\w{2,3}|(?:the |my )?(?:earliest|oldest|first)"
HIGHEST = (
    r"(?:(?:с|со) )?(?:сам\w{2,3} (?:высок|больш|долг|длинн|дорог|лучш)\w{2,3}|наибольш\w{2,3}|максимальн\w{2,3})"
    r"|(?:with )?(?:the )?(?:highest|biggest|largest|greatest|maximum|(?<!at )most|best|longest)(?: expensive)?"
)
LOWEST = (
    r"(?:(?:с|со) )?(?:сам\w{2,3} (?:низк|маленьк|коротк|дешев|худш)\w{2,3}|наименьш\w{2,3}|минимальн\w{2,3})"
    r"|(?:with )?(?:the )?(?:lowest|smallest|(?<!at )least|minimum|worst|shortest|cheapest)(?: expensive)?"
)
# What a note is as a file, by the end of its name.
FILES: tuple[tuple[str, str], ...] = (
    (".canvas", r"канвас\w{0,3}|холст\w{0,3}|canvas(?:es)?"),
    (".base", r"баз[ыу]? obsidian|bases"),
    (".pdf", r"pdf(?:s|-?файл\w{0,3}| files?)?"),
)
# "AI chats", «чаты с нейросетью»: said of chats, this is no topic.
OF_AI = r"(?:ai|llm)(?= (?:chats?|conversations?))|с (?:ии|нейросет\w{1,3}|ботом|ассистентом)"
STARS = (
    r"(?:на )?(?P<stars>\d|one|two|three|four|five|один|одну|дв[ае]|три|четыре|пять)"
    r"(?:[ -]?star(?:s|red)?| звезд\w{0,2}| балл\w{0,2})"
)
NESTED = r"(?:включая |вместе с )?вложенн\w{1,3}(?: теги| тегами)?(?: тоже)?|(?:including )?(?:nested|sub-?)(?: ?tags)?"
# Units that a number has, and what the property is about that is measured so.
UNITS: tuple[tuple[str, str], ...] = (
    ("=duration", r"минут\w?|мин|minutes?|mins?"),
    ("=price", r"руб\w*|евро|доллар\w*|лари|dollars?|euros?|usd|eur"),
    ("=weight", r"кг|килограмм\w*|kg|kilos?|kilograms?"),
    ("=pages", r"страниц\w*|стр|pages?"),
)
UNTRUE = r"(?:не|un|non-?|in)(?=\w{4})"  # «неоплаченные», "unpaid"
SIGNS: tuple[tuple[str, str], ...] = (
    (">=", r"не (?:менее|меньше|ниже)|как минимум|минимум|at least|no less than|от|>=|≥"),
    ("<=", r"не (?:более|больше|выше)|максимум|at most|no more than|up to|до|<=|≤"),
    (
        ">",
        r"больше|более|выше|свыше|дольше|длиннее|дороже|тяжелее|more than|greater than|above|over"
        r"|higher than|longer than|older than|старше|>",
    ),
    (
        "<",
        r"меньше|менее|ниже|короче|быстрее|дешевле|легче|less than|fewer than|below|under|lower than"
        r"|shorter than|faster than|cheaper than|younger than|младше|моложе|<",
    ),
)
# What stands behind a number and reaches from it: «8 и выше», "300 pages or more" has it behind the unit.
REACHES: tuple[tuple[str, str], ...] = (
    (">=", r"(?: (?:и|или|or|and) (?:выше|больше|более|дороже|дольше|позже|more|higher|above|over|up|later)|\+)"),
    ("<=", r" (?:и|или|or|and) (?:ниже|меньше|менее|дешевле|короче|раньше|less|lower|below|under|fewer|earlier)"),
)
# What a superlative or a comparison compares where no property is named.
IMPLIED: tuple[tuple[str, str], ...] = (
    ("=price", r"доро[гж]|дешев|expensive|cheap"),
    ("=rating", r"лучш|худш|\bbest|\bworst"),
    ("=age", r"старше|младше|моложе|\bolder|\byounger"),
)
IS = r"(?:(?:is|are|was|of|equals?(?: to)?|set to|=|:|равн\w{1,2}|-|значится|есть|указан\w?|стоит) )?(?:чем )?"
# The words that say how what follows lies to what is asked for.
TAGGED, FOLDER, LINKED, SAYING, ABOUT, WITH, BY, IN, WITHOUT = (
    *("tagged", "folder", "linked", "saying", "about", "with", "by", "in", "without"),
)
RELATIONS: tuple[tuple[str, str], ...] = (
    (WITHOUT, r"без (?:указанн\w+ )?|without (?:a |an |any |the )?|with no |(?:that |which )?(?:have|has) no "),
    (
        TAGGED,
        r"(?:(?:с|со|под|по) )?тег(?:ом|ами|у|а|и)? |(?:помечен|отмечен)\w{1,4} (?:тегом |как )?"
        r"|(?:that are |are )?(?:tagged|labell?ed)(?: with| as)? (?:the )?(?:tag )?"
        r"|(?:(?:with|under|has|have) )?(?:the )?tags?:? ",
    ),
    (
        FOLDER,
        r"(?:(?:лежат|лежит|хранятся|находятся) )?(?:в|из|во) (?:папк\w{1,2}|каталог\w{0,2}|раздел\w{0,2}) "
        r"|(?:are )?(?:in|from|under|inside|within) (?:the |my )?(?:folder|directory) ",
    ),
    (
        LINKED,
        r"(?:котор\w{2,3} )?(?:ссыла\w+|указыва\w+) на |(?:со |с )?ссылк\w{1,3} на |связан\w{1,3} со? "
        r"|(?:that |which )?(?:are )?(?:link(?:s|ing|ed)?|refer(?:s|ring)?|point(?:s|ing)?|connected) (?:back )?to "
        r"|backlinks (?:of|to|for) |(?:with|have|has) (?:a )?links? to ",
    ),
    (
        SAYING,
        r"(?:где |в которых |котор\w{2,3} )?(?:я |мы )?(?:упомина\w+|упомянут\w{0,2}|встреча\w+ся) (?:слово )?"
        r"|с упоминани\w+ |(?:that |which |where )?(?:i |we )?mention(?:s|ing|ed)? (?:the word )?"
        r"|(?:содерж\w+|containing) (?:слово |the word )?|со словом |with the word ",
    ),
    (
        ABOUT,
        r"(?:написан\w+ |говор\w+ )?(?:про|о|об|обо|насчет|относительно) |(?:на тему|по теме|по поводу|по проекту|по) "
        r"|(?:that are |are |is )?(?:about|regarding|concerning|on the (?:topic|subject) of) |(?:related|relating) to ",
    ),
    (
        WITH,
        r"(?:с|со) (?:участием )?|(?:that |which )?(?:together )?with |(?:у которых|где) "
        r"(?:(?:есть|был|была|были|присутствовал\w?|участвовал\w?) )?"
        r"|(?:that |which |do |does )(?:have|has) |having |whose |where |in which |среди |among "
        r"|(?:указан|проставлен|заполнен|задан|прописан)\w{0,2} ",
    ),
    (BY, r"(?:written |authored )?by |(?:за )?авторств\w+ |автора "),
    (
        IN,
        r"(?:(?:живут|живет|работает|работают|учится|учатся|родом|находится|находятся|works?|lives?|working|living|based|is"
        r"|are|comes?|studies|study) )?(?:в|во|на|из|для|от|у|к|in|at|on|from|of|for|to|under|within|inside)"
        r"(?: моей| моем| моих| my| the| our)* ",
    ),
)
FOLDER_BEHIND = frozenset("folder folders directory section папка папке папки".split())
NUMBERS: Mapping[str, int] = dict(
    zip(
        "one two three four five ten couple few один одну два две три четыре пять десять пару несколько".split(),
        (1, 2, 3, 4, 5, 10, 2, 3, 1, 1, 2, 2, 3, 4, 5, 10, 2, 3),
        strict=True,
    )
)
SKIPPED = frozenset(
    """
    пожалуйста всего вообще сейчас уже еще только мои моих моя мое мой моем моей моими my our the a an please now
    currently already still yet so far exist
    существует имеется имеются хранится хранятся лежит лежат находится находятся
    vault obsidian хранилище хранилища хранилище базе me us there here some своих свои we our one ones тоже also too
    got hold held happen happened occur occurred keep kept save saved store stored file filed import imported
    dated mark marked give gave given stand stands lie lies sit sits
    случилось случился случились произошло произошли произошел прошла прошли прошло прошел состоялась состоялись
    провел провела провели проводил проводила вел вела вели веду значится числится проставлен проставлена указан
    указана заполнен заполнено стоит сохранен сохранены импортированные импортирован поставил поставила собраны
    получил получила получили получило имеют имеет have has had получивший получившие
    """.split()
)
NEVER_SKIPPED = frozenset(
    """
    не ни нет без почему зачем как откуда куда где кто кого кому кем что чем чего чему чей чья чье когда если
    not no without why how who whom whose where when if than versus or или
    """.split()
)
