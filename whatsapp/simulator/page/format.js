"use strict";

// WhatsApp's marks, turned into DOM nodes. User text only ever becomes text
// nodes, so nothing in it can be markup.

const marks = { "*": "strong", _: "em", "~": "s" };

const isWord = (c) => c !== undefined && /[\p{L}\p{N}]/u.test(c);
const isSpace = (c) => c === undefined || /\s/.test(c);

// format gives the nodes of a message.
function format(text) {
  const nodes = document.createDocumentFragment();
  const parts = text.split(/```([\s\S]+?)```/);
  parts.forEach((part, i) => {
    if (i % 2 === 1) {
      nodes.append(element("pre", part.replace(/^\n|\n$/g, "")));
    } else if (part !== "") {
      lines(i > 0 ? part.replace(/^\n/, "") : part, nodes);
    }
  });
  return nodes;
}

// lines knows quotes and lists, which are marked at the beginning of a line.
function lines(text, into) {
  text.split("\n").forEach((line, i, all) => {
    const quote = /^> (.*)$/.exec(line);
    const item = /^(?:[-*]|(\d{1,2})\.) (.*)$/.exec(line);
    let block = into;
    if (quote) {
      block = into.appendChild(element("blockquote"));
      inline(quote[1], block);
      return;
    }
    if (item) {
      block = into.appendChild(element("span"));
      block.className = "item";
      block.append(element("span", item[1] ? item[1] + "." : "•"));
      inline(item[2], block.appendChild(element("span")));
      return;
    }
    inline(line, into);
    if (i < all.length - 1) into.append("\n");
  });
}

// inline knows marks, code and links within a line.
function inline(text, into) {
  let plain = "";
  const flush = () => {
    if (plain) into.append(plain);
    plain = "";
  };
  for (let i = 0; i < text.length; i++) {
    const link = startsWord(text, i) && /^https?:\/\/[^\s<>"]+[^\s<>".,;:!?)'\]]/.exec(text.slice(i));
    if (link) {
      flush();
      into.append(anchor(link[0]));
      i += link[0].length - 1;
      continue;
    }
    const end = closing(text, i);
    if (end > 0) {
      flush();
      const inner = text.slice(i + 1, end);
      if (text[i] === "`") into.append(element("code", inner));
      else inline(inner, into.appendChild(element(marks[text[i]])));
      i = end;
      continue;
    }
    plain += text[i];
  }
  flush();
}

const startsWord = (text, i) => !isWord(text[i - 1]);

// closing finds the mark that ends what begins at i, or gives -1.
function closing(text, i) {
  const mark = text[i];
  if (!(mark in marks) && mark !== "`") return -1;
  if (!startsWord(text, i) || (mark !== "`" && isSpace(text[i + 1]))) return -1;
  for (let j = text.indexOf(mark, i + 2); j > 0; j = text.indexOf(mark, j + 1)) {
    if (mark === "`" || (!isSpace(text[j - 1]) && !isWord(text[j + 1]))) return j;
  }
  return -1;
}

function anchor(href) {
  const a = element("a", href);
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  return a;
}

function element(name, text) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  return e;
}
