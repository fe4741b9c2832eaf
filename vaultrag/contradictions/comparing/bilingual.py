"""What people keep notes about, in Russian and English: words that mean one thing wherever either is written.

It serves attributes and things of daily life, work and machines, as in "notice: 60 days" and «расторжение – за 30
дней». A word of several meanings stands with the one that notes use most.
"""

from __future__ import annotations

from vaultrag.contradictions.comparing.bilingual_more import ROWS as MORE
from vaultrag.text.language import stem

_ROWS = """
height tall: рост высота
weight weigh: вес весит весить масса
width wide: ширина шириной
length long: длина длиной
depth deep: глубина глубиной
area: площадь
volume: объем
size: размер
age: возраст
speed: скорость
temperature: температура
pressure: давление
distance: расстояние
price cost costs pricing: цена стоимость стоит стоить обошелся
pay paid payment pays: плата оплата платить заплатил платит платеж
salary wage: зарплата оклад
rent: аренда арендовать съем
budget: бюджет
debt loan: долг кредит
tax taxes turnover-tax: налог
declaration return: декларация
invoice bill: счет
insurance insured insurer: страховка страхование застрахован застраховать страховая
deposit: депозит задаток
discount: скидка
account: аккаунт
bank: банк
contract agreement: договор контракт
notice terminate termination: расторжение расторгнуть уведомление
deadline due: срок дедлайн
licence license: лицензия
warranty guarantee: гарантия
receipt: чек
owner landlady landlord: хозяйка хозяин владелец
tenant: жилец арендатор
buy bought purchase: купить купил покупка покупать
sell sold sale: продать продал продажа продавать
move moved moving: переезд переехать переехал переезжать
repair fix fixed renovation: ремонт починить починил ремонтировать
build built: построить построил стройка
install installed: установить установил поставлен установлен поставил
replace replaced replacement: замена заменить заменил менять сменить
apartment flat: квартира
house: дом
room rooms: комната
kitchen: кухня
bathroom bath: ванная
bedroom: спальня
hall hallway corridor: прихожая коридор
balcony: балкон
floor storey: этаж
door: дверь
window: окно
wall: стена
roof: крыша
stairs staircase: лестница
yard courtyard: двор
garden: сад огород
garage: гараж
shelf: полка
wardrobe closet cupboard: шкаф
fridge refrigerator: холодильник
boiler: бойлер водонагреватель
oven: духовка
stove: плита печь
washing-machine washer: стиралка
dishwasher: посудомойка
kettle: чайник
lamp light: лампа свет
curtain curtains blinds: шторы штора
key: ключ
password: пароль
address: адрес
phone telephone: телефон
number: номер
email mail: почта
name: имя название
birthday born birth: родился родилась рождение
death died: умер умерла смерть
married marriage wedding: женат замужем свадьба брак
divorced divorce: развод разведен
child children kid kids: ребенок дети
son: сын
daughter: дочь дочка
mother mom mum: мать мама
father dad: отец папа
brother: брат
sister: сестра
uncle: дядя
aunt: тетя
grandfather granddad: дед дедушка
grandmother grandma: бабушка
wife: жена
husband: муж
friend: друг подруга
neighbour neighbor: сосед
guest guests: гость
school: школа
nurse: медсестра
class grade: класс
teacher: учитель учительница преподаватель
lesson lessons: урок занятие
exam test: экзамен
university: университет вуз
doctor: врач доктор
dentist: стоматолог зубной
hospital clinic: больница клиника
vaccination vaccinated vaccine: прививка вакцинация привит вакцина
booster: ревакцинация
tick tick-borne: клещевой клещ
allergy allergic: аллергия
blood: кровь
surgery operation: операция
tooth teeth: зуб
knee: колено
hand: рука
foot: нога
eye eyes: глаз
pill tablet medicine drug: таблетка лекарство препарат
dose dosage: доза дозировка
diet: диета
sleep: сон спать
smoke smoking smoked smoker: курить курил курение курит
drink drinks drinking: пить пьет
alcohol: алкоголь
swim swims swimming: плавание плавать плавает
run running: бег бегать пробежка
bike bicycle cycling: велосипед
ski skiing: лыжи
chess: шахматы
tournament: турнир
piano: пианино фортепиано
guitar: гитара
book: книга
film movie: фильм
music: музыка
recipe: рецепт
flour: мука
water: вода
salt: соль
sugar: сахар
butter: масло
oil: оливковое
egg eggs: яйцо
milk: молоко
bread: хлеб
dough: тесто
leaven sourdough starter: закваска
nuts walnuts: орехи орех
meat: мясо
fish: рыба
tea: чай
coffee: кофе
honey: мед
bee bees: пчела пчелы пчелиный
hive hives: улей
colony colonies: семья семьи
apiary: пасека
queen: матка
dog: собака
cat: кот кошка
train: поезд
plane flight: рейс самолет
ticket: билет
hotel: гостиница отель
car: машина автомобиль
fuel petrol gas: бензин топливо
road: дорога трасса
mountain mountains: гора горы
walk walking: пешком ходьба
bus: автобус
border: граница
visa: виза
passport: паспорт
trip travel: поездка путешествие
holiday vacation leave: отпуск каникулы
sleeping-bag: спальник
tent: палатка
backpack: рюкзак
work job: работа
meeting: встреча совещание
project: проект
team: команда
manager boss head: начальник руководитель
employee colleague: сотрудник коллега
office: офис
decision decided decide: решение решили решил решено
plan planned: план планировать
goal target: цель
launch release go-live: запуск релиз
shift on-call: дежурство смена
incident outage: авария инцидент сбой
alert warning: предупреждение тревога оповещение
error bug: ошибка баг
server: сервер
network: сеть
camera: камера
disk drive: диск
memory ram: память
battery: батарея аккумулятор
power: мощность питание
sensor: датчик
gateway: шлюз
antenna: антенна
firmware: прошивка
backup backups: бэкап резервная бекап
database: база
model: модель
version: версия
screen display: экран дисплей
printer: принтер
keyboard: клавиатура
file: файл
folder directory: папка каталог
snapshot: снимок
recording record: запись
event events: событие
limit: лимит ограничение предел
port: порт
firewall: файрвол
router: роутер маршрутизатор
cable: кабель
voltage: напряжение
charge charging: зарядка заряжать
kept keep keeps keeping store stored: хранить хранится храним хранятся держать держим
retention: хранение
open opens: открыт открывается открыть
close closes: закрыт закрывается закрыть
start starts begin begins began: начало начать начал начинается
end ends finish: конец окончание кончилась
write writes wrote: писать пишет
read: читать читает
eat eats ate: есть ест
burn burnt burned: сгорел сгореть
break broke broken: сломался сломать сломана
lose lost: потерял потерять
win won: выиграл победил
enable enabled switched-on: включен включено включить включаю
disable disabled: выключен отключен отключить
color colour: цвет
place location: место
direction: направление
reason: причина
result: результат
amount: количество сумма
share part: доля часть
breakfast: завтрак
lunch: обед
dinner supper: ужин
morning: утро утром
evening: вечер вечером
night nights: ночь ночью ночей
noon midday: полдень
midnight: полночь
day days: день дня
week weeks: неделя
month months: месяц
year years: год лет
hour hours: час
minute minutes: минута
monday mon: понедельник пн
tuesday tue: вторник вт
wednesday wed: среда ср
thursday thu: четверг чт
friday fri: пятница пт
saturday sat: суббота сб
sunday sun: воскресенье вс
weekday weekdays: будни будний
weekend weekends: выходные
winter: зима зимой
summer: лето летом
spring: весна весной
autumn fall: осень осенью
red: красный
blue: синий синим
green: зеленый
white: белый
black: черный
yellow: желтый
gray grey: серый
left: левый слева
right: правый справа
upper top: верхний
lower bottom: нижний
first: первый
second: второй
third: третий
last: последний
new: новый
old: старый
big large: большой
small little: маленький
cold: холодный холод
warm: теплый тепло
hot: горячий
dry: сухой
wet: мокрый
"""


def _concepts() -> dict[str, str]:
    """What MORE adds to a word that is listed here is of its meaning; of two meanings listed here the later stands."""
    found: dict[str, str] = {}
    for row in _ROWS.strip().splitlines():
        english, russian = _stems(row)
        found.update(dict.fromkeys((*english, *russian), f"={row.split()[0]}"))
    for row in filter(None, map(str.strip, MORE.replace("\n", ";").split(";"))):
        english, russian = _stems(row)
        concept = next((found[one] for one in (english[0], russian[0]) if one in found), f"={row.split()[0]}")
        for one in (*english, *russian):
            found.setdefault(one, concept)
    return found


def _stems(row: str) -> tuple[list[str], list[str]]:
    english, _, russian = row.partition(":")
    return [stem(word) for word in english.split()], [stem(word) for word in russian.split()]


CONCEPTS: dict[str, str] = _concepts()
"""Stems to one name for what they mean; names begin with `=`, which no stem does."""
