// The words of the page at /widget, by language, in the order of KEYS; English ones stand in the page itself.

"use strict";

const KEYS = [
  "title", "back", "form", "corner-button", "part", "look", "paper", "plain", "contrast", "scheme", "prefers", "light", "dark",
  "language", "as-page", "colour", "heading", "intro", "placeholder", "button", "corner", "end", "begin", "starters", "collection",
  "sources", "opener", "article", "keys", "none", "ctrl-k", "tag", "copy", "permission", "looks", "copied", "refused",
];

const WORDS = {
  ar: [
    "المحادثة في صفحاتك", "العودة إلى المحادثة", "الشكل", "زر في الزاوية", "جزء من الصفحة", "المظهر", "ورقي", "بسيط", "تباين قوي",
    "فاتح أو داكن", "كما يفضّل القارئ", "فاتح", "داكن", "اللغة", "كلغة الصفحة، وإلا فلغة القارئ", "اللون", "العنوان", "المقدمة",
    "النص في الحقل الفارغ", "النص على الزر", "الزاوية", "عند نهاية السطور", "عند بداية السطور", "أسئلة للبداية، يفصل بينها |",
    "المجموعة", "مصادر للاختيار، يفصل بينها |", "أزرارك التي تفتحها، كمحدِّد", "المقالة التي تدور حولها الصفحة، بمعرّفها", "المفاتيح",
    "بلا", "يفتحها Ctrl-K", "الوسم", "نسخ", "يجب أن يرد عنوان الصفحة التي يوضع فيها في QA_ALLOWED_ORIGINS لهذه الخدمة.",
    "كيف تبدو", "نُسخ", "لم يُسمح بالنسخ؛ الوسم محدَّد",
  ],
  de: [
    "Der Chat auf Ihren Seiten", "Zurück zum Chat", "Form", "Eine Schaltfläche in der Ecke", "Teil der Seite", "Aussehen", "Papier",
    "Schlicht", "Starker Kontrast", "Hell oder dunkel", "Wie es der Leser wünscht", "Hell", "Dunkel", "Sprache",
    "Wie die Seite, sonst der Leser", "Farbe", "Titel", "Einleitung", "Worte im leeren Feld", "Worte auf der Schaltfläche", "Ecke",
    "Wo Zeilen enden", "Wo Zeilen beginnen", "Fragen für den Anfang, dazwischen |", "Sammlung", "Quellen zur Auswahl, dazwischen |",
    "Eigene Schaltflächen, die ihn öffnen, als Selektor", "Artikel, um den es auf der Seite geht, mit seiner Id", "Tasten", "Keine",
    "Strg-K öffnet ihn", "Das Tag", "Kopieren", "Die Adresse der Seite, auf die es kommt, muss in QA_ALLOWED_ORIGINS dieses Dienstes stehen.",
    "Wie er aussieht", "Kopiert", "Kopieren war nicht erlaubt; das Tag ist markiert",
  ],
  es: [
    "El chat en sus páginas", "Volver al chat", "Forma", "Un botón en la esquina", "Parte de la página", "Aspecto", "Papel", "Sencillo",
    "Contraste fuerte", "Claro u oscuro", "Como prefiera el lector", "Claro", "Oscuro", "Idioma", "El de la página o el del lector",
    "Color", "Título", "Introducción", "Texto del campo vacío", "Texto del botón", "Esquina", "Donde acaban las líneas",
    "Donde empiezan las líneas", "Preguntas para empezar, separadas por |", "Colección", "Fuentes para elegir, separadas por |",
    "Sus propios botones que lo abren, como selector", "Artículo del que trata la página, por su id", "Teclas", "Ninguna",
    "Ctrl-K lo abre", "La etiqueta", "Copiar", "La dirección de la página donde va debe figurar en QA_ALLOWED_ORIGINS de este servicio.",
    "Cómo se ve", "Copiado", "No se permitió copiar; la etiqueta está seleccionada",
  ],
  fr: [
    "Le chat dans vos pages", "Retour au chat", "Forme", "Un bouton dans le coin", "Partie de la page", "Aspect", "Papier", "Sobre",
    "Contraste fort", "Clair ou sombre", "Selon le lecteur", "Clair", "Sombre", "Langue", "Celle de la page, sinon du lecteur",
    "Couleur", "Titre", "Introduction", "Texte du champ vide", "Texte du bouton", "Coin", "Où finissent les lignes",
    "Où commencent les lignes", "Questions pour commencer, séparées par |", "Collection", "Sources au choix, séparées par |",
    "Vos propres boutons qui l’ouvrent, en sélecteur", "Article dont parle la page, par son id", "Touches", "Aucune",
    "Ctrl-K l’ouvre", "La balise", "Copier", "L’adresse de la page où elle va doit figurer dans QA_ALLOWED_ORIGINS de ce service.",
    "À quoi il ressemble", "Copié", "La copie n’a pas été permise ; la balise est sélectionnée",
  ],
  hi: [
    "आपके पृष्ठों में चैट", "चैट पर वापस", "रूप", "कोने में एक बटन", "पृष्ठ का हिस्सा", "शैली", "काग़ज़", "सादा", "गहरा कंट्रास्ट",
    "हल्का या गहरा", "जैसा पाठक चाहे", "हल्का", "गहरा", "भाषा", "पृष्ठ की, नहीं तो पाठक की", "रंग", "शीर्षक", "परिचय",
    "ख़ाली खाने के शब्द", "बटन के शब्द", "कोना", "जहाँ पंक्तियाँ समाप्त होती हैं", "जहाँ पंक्तियाँ शुरू होती हैं",
    "शुरुआती प्रश्न, बीच में |", "संग्रह", "चुनने के लिए स्रोत, बीच में |", "इसे खोलने वाले आपके बटन, सेलेक्टर के रूप में",
    "जिस लेख के बारे में पृष्ठ है, उसकी id", "कुंजियाँ", "कोई नहीं", "Ctrl-K से खुले", "टैग", "कॉपी करें",
    "जिस पृष्ठ पर यह जाएगा उसका पता इस सेवा के QA_ALLOWED_ORIGINS में होना चाहिए।", "यह कैसा दिखता है", "कॉपी हुआ",
    "कॉपी की अनुमति नहीं मिली; टैग चुना हुआ है",
  ],
  id: [
    "Obrolan di halaman Anda", "Kembali ke obrolan", "Bentuk", "Tombol di sudut", "Bagian dari halaman", "Gaya", "Kertas", "Polos",
    "Kontras kuat", "Terang atau gelap", "Sesuai pilihan pembaca", "Terang", "Gelap", "Bahasa", "Seperti halaman, atau pembaca", "Warna",
    "Judul", "Pengantar", "Kata di kolom kosong", "Kata di tombol", "Sudut", "Tempat baris berakhir", "Tempat baris dimulai",
    "Pertanyaan untuk memulai, dipisah |", "Koleksi", "Sumber pilihan, dipisah |", "Tombol Anda sendiri yang membukanya, sebagai selektor",
    "Artikel yang dibahas halaman, dengan id-nya", "Tombol papan ketik", "Tidak ada", "Ctrl-K membukanya", "Tag-nya", "Salin",
    "Alamat halaman tempatnya harus ada di QA_ALLOWED_ORIGINS layanan ini.", "Tampilannya", "Disalin",
    "Menyalin tidak diizinkan; tag sudah dipilih",
  ],
  ja: [
    "あなたのページのチャット", "チャットに戻る", "形", "隅のボタン", "ページの一部", "外観", "紙", "シンプル", "強いコントラスト",
    "明るい・暗い", "読者の設定に従う", "明るい", "暗い", "言語", "ページの言語、なければ読者の言語", "色", "見出し", "紹介文",
    "空の入力欄の言葉", "ボタンの言葉", "隅", "行の終わる側", "行の始まる側", "最初の質問（| で区切る）", "コレクション",
    "選べる情報源（| で区切る）", "開くためのご自身のボタン（セレクター）", "ページが扱う記事の id", "キー", "なし", "Ctrl-K で開く",
    "タグ", "コピー", "置くページのアドレスが、このサービスの QA_ALLOWED_ORIGINS に必要です。", "見え方", "コピーしました",
    "コピーが許可されませんでした。タグを選択してあります",
  ],
  pt: [
    "O chat nas suas páginas", "Voltar ao chat", "Forma", "Um botão no canto", "Parte da página", "Aspecto", "Papel", "Simples",
    "Contraste forte", "Claro ou escuro", "Como o leitor preferir", "Claro", "Escuro", "Idioma", "O da página, senão o do leitor", "Cor",
    "Título", "Introdução", "Texto do campo vazio", "Texto do botão", "Canto", "Onde as linhas terminam", "Onde as linhas começam",
    "Perguntas para começar, separadas por |", "Coleção", "Fontes à escolha, separadas por |",
    "Os seus próprios botões que o abrem, como seletor", "Artigo de que a página trata, pelo seu id", "Teclas", "Nenhuma",
    "Ctrl-K abre-o", "A etiqueta", "Copiar", "O endereço da página onde ela fica tem de constar em QA_ALLOWED_ORIGINS deste serviço.",
    "Como fica", "Copiado", "Não foi permitido copiar; a etiqueta está selecionada",
  ],
  zh: [
    "您网页中的问答", "返回问答", "形式", "角落里的按钮", "网页的一部分", "外观", "纸张", "简洁", "高对比度", "浅色或深色", "随读者偏好",
    "浅色", "深色", "语言", "随网页，否则随读者", "颜色", "标题", "简介", "空输入框中的文字", "按钮上的文字", "角落", "行尾一侧", "行首一侧",
    "起始问题，以 | 分隔", "文集", "可选来源，以 | 分隔", "打开它的自有按钮（选择器）", "网页所谈文章的 id", "快捷键", "无",
    "按 Ctrl-K 打开", "标签", "复制", "所在网页的地址须列在本服务的 QA_ALLOWED_ORIGINS 中。", "效果", "已复制", "未获准复制；标签已选中",
  ],
};
