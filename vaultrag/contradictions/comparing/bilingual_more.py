"""More words that mean one thing in Russian and English, several rows a line: what `bilingual.py` lists in detail.

Of everyday notes: households, money, health, travel, food, work, machines, and the verbs that go with them.
"""

ROWS = """
patient: пациент; plot: участок; rehearsal rehearse: репетиция репетировать; shed: сарай; rash: сыпь; gig: концерт
session: сессия сеанс; dataset: датасет; submission: сдача; quota: квота; provider: провайдер; opera: опера
tower: башня; lamb: баранина; rib ribs: ребро; label labelled: разметка; plant planted planting: сажать сажаем высадил
pet pets animal animals: животное питомец; landlord: арендодатель; tenant: съемщик; lease: аренды; deposit: залог
countertop worktop: столешница; backsplash: фартук; tile tiles: плитка; floor flooring: паркет ламинат; paint: краска
plaster: штукатурка; wallpaper: обои; ceiling: потолок; socket outlet: розетка; switch: выключатель; tap faucet: кран
sink: раковина мойка; shower: душ; toilet: туалет унитаз; pipe pipes: труба; heating: отопление; radiator: батарея
gas: газ газовый; electric electricity: электричество электрический; induction: индукция индукционный; hood: вытяжка
oak: дуб дубовый; beech: бук буковый; pine: сосна сосновый; birch: береза; wood wooden timber: дерево деревянный
metal: металл; steel: сталь стальной; glass: стекло; stone: камень; plastic: пластик; concrete: бетон; brick: кирпич
cellar basement: подвал; attic: чердак; fence: забор; gate: ворота калитка; lift elevator: лифт
entrance: вход подъезд; lock: замок; ladder: лестница; furniture: мебель; bed: кровать; mattress: матрас
sofa couch: диван; table desk: стол; chair: стул кресло; mirror: зеркало; carpet rug: ковер; vacuum: пылесос
heater: обогреватель; air-conditioner conditioner: кондиционер; fan: вентилятор; filter: фильтр; pump: насос
tank: бак; bucket: ведро; washing laundry: стирка; wash washes: стирает стирать мыть
clean cleaning: уборка убирать чистить; rubbish trash: мусор; plant plants: растение; flower flowers: цветок
pot: горшок; soil: грунт земля; seed seeds: семена; tree: дерево; watering: полив поливать поливаем
fertilizer: удобрение; tomato tomatoes: помидор томат; potato potatoes: картофель; cucumber: огурец; onion: лук
garlic: чеснок; carrot: морковь; cabbage: капуста; apple: яблоко; berry berries: ягода; rice: рис; cheese: сыр
cream: сливки сметана; yeast: дрожжи; pepper: перец; sauce: соус; soup: суп; chicken: курица; beef: говядина
pork: свинина; salad: салат; cake: торт пирог; wine: вино; beer: пиво; juice: сок; vinegar: уксус
bake baked baking: печь выпекать; boil boils: варить кипятить; fry: жарить; oven-dish form: форма; knife: нож
pan: сковорода; spoon: ложка; cup: чашка стакан; plate: тарелка; bottle: бутылка; jar: банка; portion serving: порция
hunger: голод; weigh scale: весы; pulse: пульс; fever: температура; headache: мигрень; migraine: мигрень
pain: боль болит; cough: кашель; flu: грипп; heart: сердце; spine: спина; neck: шея; shoulder: плечо; hip: бедро
ankle: лодыжка; ear ears: ухо; nose: нос; throat: горло; skin: кожа; stomach: желудок живот; liver: печень
kidney: почка; lung: легкое; glasses spectacles: очки; lens lenses: линза; hearing: слуховой слух; meniscus: мениск
fracture broken: перелом; prescription: рецепт; pharmacy: аптека; therapist: терапевт; neurologist: невролог
surgeon: хирург; dermatologist: дерматолог; physiotherapist: физиотерапевт; appointment: прием запись
checkup examination: осмотр обследование; analysis: анализ; x-ray: рентген; ultrasound: узи; vitamin: витамин
iron: железо; antibiotic: антибиотик; penicillin: пенициллин; caffeine: кофеин
pregnancy pregnant: беременность беременна; diabetes: диабет; insulin: инсулин; cholesterol: холестерин
exercise workout: упражнение тренировка; gym: спортзал зал; football soccer: футбол; tennis: теннис
basketball: баскетбол; marathon: марафон; race: забег гонка; yoga: йога; dance dancing: танцы; training: тренировка
coach trainer: тренер; kindergarten nursery: сад садик; camp: лагерь; homework: домашка; pupil student: ученик студент
grade mark: оценка; pick: забрать забирать забираем; bring: привезти принести; raincoat: дождевик
torch flashlight: фонарик; shoes: обувь ботинки; boots: сапоги; jacket coat: куртка пальто; dress: платье
shirt: рубашка; hat: шапка; gloves: перчатки; umbrella: зонт; gift present: подарок дарить; toy: игрушка
party: праздник вечеринка; candle: свеча; relatives: родственники; family: семейный; parent parents: родители
grandson: внук; granddaughter: внучка; nephew: племянник; niece: племянница; cousin: двоюродный; godmother: крестная
mother-in-law: свекровь теща; twins: близнецы; baby: младенец малыш; girl: девочка; boy: мальчик
fly flies flew: летать летит лететь прилетает летает; drive drives: водить ехать
arrive arrives arrival: приезжает прибытие; depart departs leaves departure: отправление отправляется
comeback: возвращаемся вернуться обратно; airport: аэропорт; station: вокзал станция; ferry: паром
ship boat: корабль лодка; taxi: такси; metro subway: метро; luggage baggage: багаж; suitcase: чемодан
booking booked reservation: бронь бронирование забронировали; beach: пляж; sea: море; lake: озеро; river: река
island: остров; forest: лес; bridge: мост; street: улица; square: площадь; village: деревня село; city town: город
country: страна; capital: столица; map: карта; route: маршрут; mile: миля; parking: парковка; toll: платная
petrol-station: заправка; insurance-policy: полис; inspection: техосмотр осмотр проверка
tyre tyres tire tires: резина шина шины; wheel: колесо; engine: двигатель мотор; brake brakes: тормоз; mileage: пробег
consumption: расход; licence-plate: номер; driving: вождение; seat seats: место сиденье; garage: гараж
bath baths: купальня; museum: музей; theatre theater: театр; cinema: кинотеатр; concert: концерт; church: церковь
castle: замок; library: библиотека; shop store: магазин; market: рынок; cafe: кафе; restaurant: ресторан
bakery bakeries: пекарня; order orders: заказ заказывать; delivery: доставка; customer client: клиент заказчик
supplier: поставщик; discount: скидка; sale: распродажа; card: карта карточка; cash: наличные; transfer: перевод
savings: накопления сбережения; mortgage: ипотека; interest: процент; fee: комиссия сбор; fine: штраф
income revenue: доход выручка; profit: прибыль; expense expenses spending: расход траты; wallet: кошелек
pension: пенсия; bonus: премия; raise: повышение; currency: валюта; exchange: обмен курс; free: бесплатно бесплатный
subscription: подписка; trial pilot: пилот пробный; refund: возврат; overdraft: овердрафт; share shares: акция
notice: предупреждать предупредить; employer: работодатель; remote: удаленка удаленно; holiday: отпуска
sick: больничный; laptop notebook: ноутбук; monitor: монитор; mouse: мышь мышка; headphones: наушники
phone: мобильный; tablet: планшет; computer: компьютер; processor cpu: процессор; graphics gpu: видеокарта
disk drive ssd hdd: накопитель; cooler: кулер; host: хост; address: адрес; login: логин вход; password: пароля
user: пользователь; access: доступ; token: токен; encryption encrypted: шифрование зашифрован; certificate: сертификат
domain: домен; hosting: хостинг; cloud: облако; deploy deploys deployment: деплой выкатка выкатываем; build: сборка
test tests: тест; branch: ветка; commit: коммит; code: код; repository: репозиторий; framework: фреймворк
app application: приложение; mobile: мобильное; site website: сайт; page: страница; link: ссылка; request: запрос
response: ответ; query: запрос; row: строка; column: столбец колонка; field: поле; index: индекс; cache: кэш кеш
queue: очередь; thread: поток; process: процесс; service: сервис служба; log logs: лог журнал; metric metrics: метрика
dashboard: дашборд; outage: отключение; ups: ибп; uptime: доступность; release: релиз; version: версия; review: ревью
task: задача; issue: проблема; priority: приоритет; sprint: спринт; roadmap: дорожная; feature: фича
customer-support support: поддержка; interview: интервью собеседование; presentation: презентация; report: отчет
document: документ; signature sign signed: подпись подписать подписан; copy: копия; letter: письмо; message: сообщение
call: звонок звонить; photo picture: фото фотография снимок; video: видео; sound: звук; color: расцветка; shape: форма
thickness: толщина; diameter: диаметр; capacity: емкость вместимость; distance: дистанция; duration: длительность
lifetime lasts: служит живет; replace replaces: меняем меняют; change changes: менять меняет; check: проверять
use uses used using: использовать использует пользоваться пользуемся; need needs: нужно нужен требуется
take takes took: брать берем взять взяли; give gives: давать дает; get gets got: получить получаем
put puts: положить кладем; send sends sent: отправить отправляем отправляет; receive: получать; show shows: показывать
help: помощь помогать; work works: работать работает; live lives: жить живет; stay stays: остается остановиться
wait: ждать; stop stops stopped: прекратить перестать; begin: начинать; finish finished: закончить
choose chose chosen: выбрать выбрали; prefer: предпочитать; hold holds held: держит держать; carry carries: носить
lift: поднимать; belong belongs: принадлежит; own owns: собственный; call called: зовут называется
teach teaches: преподает учить; learn: учиться; play plays: играть играет; sing: петь; weather: погода; rain: дождь
snow: снег; wind: ветер; sun: солнце; frost: мороз; ice: лед; heat: жара; storm: шторм гроза; horse: лошадь
rabbit: кролик; bird: птица; parrot: попугай; hamster: хомяк; fish-tank aquarium: аквариум; vet: ветеринар
litter: лоток; leash: поводок; food feed feeding: корм кормить кормим; puppy: щенок; kitten: котенок; breed: порода
guitar: гитара; violin: скрипка; choir: хор; drawing: рисование; chess: шахматный; game: игра; hobby: хобби
knit: вязать; loan: кредит; half: половина; pair: пара; set: комплект набор; box: коробка ящик; bag: сумка пакет
package parcel: посылка; neighbourhood district: район; courier: курьер; post: почта; reception: ресепшен
visitor: посетитель; wifi wi-fi: вайфай; guest: гостевая гостевой; allowed: разрешено; included: включен
spare: запасной; broken: сломан; chairman: председатель; director ceo: директор; lawyer: юрист адвокат
accountant: бухгалтер; engineer: инженер; developer: разработчик; designer: дизайнер; tester: тестировщик
plumber: сантехник; electrician: электрик; builder: строитель; boss: шеф; secretary: секретарь; partner: партнер
company firm: компания фирма; department: отдел; branch-office: филиал; salary: зарплаты; deadline: сроки
quarter: квартал; century: век; season: сезон; moment: момент; half-hour: полчаса; russian: русский
english: английский; german: немецкий; french: французский; spanish: испанский; language: язык; russia: россия
germany: германия; france: франция; italy: италия; spain: испания; georgia: грузия; turkey: турция; greece: греция
poland: польша; serbia: сербия; hungary: венгрия; montenegro: черногория; europe: европа; china: китай; london: лондон
paris: париж; berlin: берлин; moscow: москва; prague: прага; vienna: вена; rome: рим; athens: афины; warsaw: варшава
budapest: будапешт; belgrade: белград; munich: мюнхен; lisbon: лиссабон; tbilisi: тбилиси; january: январь
february: февраль; march: март; april: апрель; june: июнь; july: июль; august: август; september: сентябрь
october: октябрь; november: ноябрь; december: декабрь
"""
