"use strict";

const byID = (id) => document.getElementById(id);
const log = byID("chat");
const select = byID("person");
const state = byID("state");

// typingLasts is how long WhatsApp shows that somebody writes, in ms.
const typingLasts = 25000;
const calm = "simulated WhatsApp";

let people = [];
let shown = new Map(); // bubbles by wamid
let mine = []; // my messages that are not read yet
let typingTimer;
let polling = new AbortController();

const person = () => select.value;

async function post(path, form) {
  try {
    const response = await fetch("/try/" + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ person: person(), ...form }),
    });
    if (!response.ok) throw new Error((await response.json()).error);
    return true;
  } catch (err) {
    notice("Not sent: " + err.message);
    return false;
  }
}

// follow polls for news of one person until another one is chosen.
async function follow() {
  polling.abort();
  polling = new AbortController();
  const { signal } = polling;
  clear();
  let after = 0;
  while (!signal.aborted) {
    try {
      const query = new URLSearchParams({ person: person(), after });
      const response = await fetch("/try/poll?" + query, { signal });
      if (!response.ok) throw new Error("status " + response.status);
      const { entries, again } = await response.json();
      if (signal.aborted) return;
      if (again) {
        clear();
        after = 0;
      }
      const first = after === 0;
      for (const e of entries) {
        show(e);
        after = e.n;
      }
      if (first) log.scrollTop = log.scrollHeight;
      if (state.textContent === "connecting …") setTyping(false);
    } catch (err) {
      if (signal.aborted) return;
      state.textContent = "connecting …";
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

function clear() {
  log.replaceChildren();
  shown = new Map();
  mine = [];
  setTyping(false);
  const role = people.find((p) => p.id === person());
  byID("hint").textContent = role ? role.name + ": " + role.does + "." : "";
  byID("hint").hidden = !role || role.does === "just somebody";
}

// show applies one entry.
function show(e) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  switch (e.kind) {
    case "me":
      mine.push(e.id);
      bubble(e);
      tick(e.id, "sent");
      break;
    case "bot":
      setTyping(false);
      bubble(e);
      tick(e.id, "accepted");
      break;
    case "status":
      tick(e.id, e.text);
      break;
    case "read":
    case "typing":
      markRead(e.id);
      if (e.kind === "typing") setTyping(Date.now() - Date.parse(e.at) < typingLasts);
      break;
  }
  if (atEnd || e.kind === "me") log.scrollTop = log.scrollHeight;
}

function bubble(e) {
  const row = element("li");
  row.className = e.kind;
  const box = row.appendChild(element("div"));
  box.className = "bubble";
  if (e.header) box.append(element("h3", e.header));
  if (e.link) box.append(file(e.link));
  if (e.place) box.append(map(e.place));
  if (e.text) box.appendChild(words(e.text));
  if (e.footer) box.append(named("small", "footer", e.footer));
  box.append(meta(e));
  for (const action of actions(e)) row.append(action);
  log.append(row);
  shown.set(e.id, row);
}

function words(text) {
  const p = named("div", "words");
  p.dir = "auto";
  p.append(format(text));
  return p;
}

function meta(e) {
  const line = named("span", "meta");
  const time = element("time", new Date(e.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = e.at;
  line.append(time, named("span", "tick"));
  return line;
}

function file(link) {
  const box = named("p", "file");
  box.append(/^https?:\/\//.test(link) ? anchor(link) : link);
  return box;
}

function map(place) {
  const box = named("div", "place");
  box.append(named("span", "pin", "📍"));
  const text = box.appendChild(element("div"));
  if (place.name) text.append(element("strong", place.name));
  if (place.address) text.append(element("span", place.address));
  text.append(element("small", place.latitude + ", " + place.longitude));
  return box;
}

// actions are the buttons below a bubble.
function actions(e) {
  if (e.kind !== "bot") return [];
  if (e.askLocation) return [action("📍 Send location", () => byID("location").showModal())];
  if (e.menu) return [action("☰ " + e.menu, () => openMenu(e))];
  return (e.choices || []).map((c) => action(c.title, () => post("tap", { id: e.id, choice: c.id })));
}

function action(title, act) {
  const b = named("button", "action", title);
  b.type = "button";
  b.addEventListener("click", act);
  return b;
}

function openMenu(e) {
  byID("menu-title").textContent = e.menu;
  const rows = byID("rows");
  rows.replaceChildren();
  let section = "";
  for (const c of e.choices) {
    if (c.section && c.section !== section) rows.append(element("h3", (section = c.section)));
    const row = action(c.title, () => {
      byID("menu").close();
      post("tap", { id: e.id, choice: c.id });
    });
    row.className = "row";
    if (c.description) row.append(element("small", c.description));
    rows.append(row);
  }
  byID("menu").showModal();
}

const rank = { accepted: 0, sent: 1, delivered: 2, read: 3, played: 4, failed: 5 };
const look = { accepted: "◷", sent: "✓", delivered: "✓✓", read: "✓✓", played: "✓✓", failed: "! failed" };

// tick shows how far a message has come; it never goes back.
function tick(id, status) {
  const mark = shown.get(id)?.querySelector(".tick");
  if (!mark || rank[status] === undefined || rank[status] < (rank[mark.dataset.status] ?? -1)) return;
  mark.dataset.status = status;
  mark.textContent = look[status];
  mark.title = status;
  mark.setAttribute("aria-label", status);
}

// markRead marks a message of mine and all before it.
function markRead(id) {
  const at = mine.indexOf(id);
  for (const read of mine.splice(0, at + 1)) tick(read, "read");
}

function setTyping(on) {
  clearTimeout(typingTimer);
  state.textContent = on ? "typing …" : calm;
  state.classList.toggle("typing", on);
  if (on) typingTimer = setTimeout(() => setTyping(false), typingLasts);
}

function notice(text) {
  const row = named("li", "notice", text);
  row.setAttribute("role", "alert");
  log.append(row);
  log.scrollTop = log.scrollHeight;
}

function named(name, className, text) {
  const e = element(name, text);
  e.className = className;
  return e;
}

const field = byID("text");

function fit() {
  field.style.height = "auto";
  field.style.height = field.scrollHeight + field.offsetHeight - field.clientHeight + "px";
}

field.addEventListener("input", fit);
field.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    byID("composer").requestSubmit();
  }
});

byID("composer").addEventListener("submit", async (e) => {
  e.preventDefault();
  const text = field.value;
  if (!text.trim()) return;
  field.value = "";
  fit();
  field.focus();
  if (!(await post("send", { text })) && field.value === "") {
    field.value = text;
    fit();
  }
});

byID("place").addEventListener("click", () => byID("location").showModal());

byID("where").addEventListener("submit", (e) => {
  e.preventDefault();
  const form = new FormData(e.target);
  byID("location").close();
  post("location", {
    name: form.get("name"),
    address: form.get("address"),
    latitude: Number(form.get("latitude")),
    longitude: Number(form.get("longitude")),
  });
});

for (const close of document.querySelectorAll("[data-close]")) {
  close.addEventListener("click", () => close.closest("dialog").close());
}

select.addEventListener("change", follow);

async function start() {
  const { business, people: all } = await (await fetch("/try/people")).json();
  people = all;
  if (business) byID("business").textContent = business;
  for (const p of people) {
    const option = element("option", p.name + " · " + (p.id.includes(".") ? p.id.slice(0, 8) + "…" : "+" + p.id));
    option.value = p.id;
    option.title = p.does;
    select.append(option);
  }
  follow();
}

start().catch((err) => notice("The page could not start: " + err.message));
