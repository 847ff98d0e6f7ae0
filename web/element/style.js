// Colours come in pairs, for light and dark, each with the contrast of WCAG 2.2 AA.
const css = `
:host {
  --text: var(--mfa-text, light-dark(#18202e, #e7ebf2));
  --quiet: var(--mfa-quiet, light-dark(#566074, #a3aec0));
  --ground: var(--mfa-ground, light-dark(#fff, #171d28));
  --sunk: var(--mfa-sunk, light-dark(#f4f6f9, #10151e));
  --line: var(--mfa-line, light-dark(#dde2ea, #2b3444));
  --field-line: var(--mfa-field-line, light-dark(#8590a3, #6c788c));
  --accent: var(--mfa-accent, light-dark(#2f5bd7, #9db8ff));
  --on-accent: var(--mfa-on-accent, light-dark(#fff, #0b1633));
  --accent-soft: color-mix(in srgb, var(--accent) 10%, var(--ground));
  --good: var(--mfa-good, light-dark(#0b6b43, #7fdcae));
  --good-soft: color-mix(in srgb, var(--good) 10%, var(--ground));
  --bad: var(--mfa-bad, light-dark(#a81f18, #ffb0a8));
  --bad-soft: color-mix(in srgb, var(--bad) 8%, var(--ground));
  --radius: var(--mfa-radius, 10px);
  display: block;
  container-type: inline-size;
  color: var(--text);
  line-height: 1.55;
  overflow-wrap: break-word;
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
* { margin: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

h1, h2, h3, h4, h5, h6 { font-size: 1.0625rem; font-weight: 620; line-height: 1.4; }
[part="heading"] { font-size: clamp(1.35rem, 5cqi, 1.7rem); font-weight: 680; line-height: 1.25; letter-spacing: -.015em; }
[part="heading"]:focus { outline: none; }
.lead { margin-top: .5rem; color: var(--quiet); text-wrap: pretty; }
.hint { color: var(--quiet); font-size: .9rem; line-height: 1.45; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: var(--accent); }

label { display: block; margin: 1.25rem 0 .4rem; font-weight: 560; }
:is(h2, h3, h4, h5, h6) label { margin: 0; font: inherit; }
input, button { font: inherit; color: inherit; }
input { width: 100%; min-height: 2.875rem; padding: .55rem .8rem; border: 1px solid var(--field-line); border-radius: var(--radius); background: var(--ground); }
input::placeholder { color: var(--quiet); opacity: 1; }
input[aria-invalid="true"] { border-color: var(--bad); }
#device { max-width: 20rem; }
button, .button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 2.875rem; padding: .55rem 1.15rem;
  border: 1px solid var(--field-line); border-radius: var(--radius); background: var(--ground); color: var(--text);
  font-weight: 560; text-align: center; text-decoration: none; cursor: pointer;
}
button:hover, .button:hover { background: var(--sunk); }
.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.primary:hover { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 85%, var(--text)); }
.danger { color: var(--bad); }
.wide { width: 100%; margin-top: 1.5rem; }
input.wide { margin-top: 0; }
[aria-disabled="true"] { opacity: .65; cursor: progress; }
.link { display: inline-flex; align-items: center; min-height: 2.25rem; padding: .25rem .1rem; border: 0; border-radius: 4px; background: none; color: var(--accent); font-weight: 500; text-decoration: none; }
.link:hover { background: none; text-decoration: underline; }
.links { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }

.code { max-width: 13rem; font-size: 1.5rem; font-variant-numeric: tabular-nums; letter-spacing: .3em; }
.code.wide { max-width: none; text-align: center; }
.code-row { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .6rem; }
form .hint { margin-top: .4rem; }

.notice { margin-top: 1.25rem; padding: .8rem 1rem; border: 1px solid transparent; border-radius: var(--radius); background: var(--accent-soft); white-space: pre-line; }
.notice.bad { background: var(--bad-soft); color: var(--bad); }
.notice.good { background: var(--good-soft); color: var(--good); }
.notice.good::before { content: "✓" / ""; margin-inline-end: .5rem; font-weight: 700; }
.notice p + p, .notice button { margin-top: .5rem; }
.waiting { display: flex; gap: .9rem; align-items: center; justify-content: center; min-height: 8rem; margin-top: 1.5rem; color: var(--quiet); }
.spinner { flex: none; width: 1.35rem; height: 1.35rem; border: 3px solid var(--line); border-top-color: var(--accent); border-radius: 50%; animation: turn .9s linear infinite; }
@keyframes turn { to { rotate: 1turn; } }

.steps { position: relative; display: grid; gap: 1.75rem; min-height: 24rem; margin-top: 2rem; padding-inline-start: calc(22rem + clamp(1.5rem, 4cqi, 2.5rem)); counter-reset: step; align-content: start; }
.step { display: grid; gap: .6rem; align-content: start; counter-increment: step; min-width: 0; }
.step > *, .step form { min-width: 0; }
.step > :is(h2, h3, h4, h5, h6), .step form > :is(h2, h3, h4, h5, h6) { display: flex; gap: .75rem; align-items: baseline; }
.step > :is(h2, h3, h4, h5, h6)::before, .step form > :is(h2, h3, h4, h5, h6)::before {
  content: counter(step); flex: none; width: 1.75rem; height: 1.75rem; border-radius: 50%; background: var(--accent-soft);
  color: var(--accent); font-size: .9rem; font-weight: 650; line-height: 1.75rem; text-align: center;
}
.scan { position: absolute; inset-inline-start: 0; top: 0; width: 22rem; }
.plate { display: grid; place-items: center; min-height: 20rem; padding: .2rem; border: 1px solid var(--line); border-radius: 14px; background: #fff; forced-color-adjust: none; }
.plate img { display: block; max-width: 100%; image-rendering: pixelated; }
.timer { color: var(--quiet); font-size: .9375rem; font-variant-numeric: tabular-nums; }
.scan .timer { margin-top: .75rem; text-align: center; }
.account { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; font-size: .9375rem; }
dt { color: var(--quiet); }
dd { font-weight: 560; overflow-wrap: anywhere; }
details > * + * { margin-top: .6rem; }
summary { width: fit-content; min-height: 1.75rem; color: var(--accent); cursor: pointer; }
/* The groups are apart by a margin, so that what is selected copies as one line. */
.key { display: block; padding: .8rem .9rem; border-radius: var(--radius); background: var(--sunk); font: 1rem/1.7 ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
.key span { margin-right: .75rem; }
.step label { margin: .75rem 0 0; }
.step h2 label, .step h3 label, .step h4 label, .step h5 label, .step h6 label { margin: 0; }
.stores { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.pair { display: grid; gap: .6rem; }
.pair .open { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }

.factor { display: flex; gap: 1rem; justify-content: space-between; align-items: start; margin-top: 1.5rem; padding: 1rem; border: 1px solid var(--line); border-radius: var(--radius); }
.badge { padding: .1rem .7rem; border: 1px solid transparent; border-radius: 99px; background: var(--sunk); color: var(--quiet); font-size: .875rem; font-weight: 600; }
.badge.on { background: var(--good-soft); color: var(--good); }
.actions { display: grid; gap: .6rem; margin-top: 1.25rem; }
.banner .actions { display: flex; flex-wrap: wrap; margin-top: .9rem; }
dialog { max-width: min(26rem, calc(100vw - 2rem)); margin: auto; padding: 1.5rem; border: 1px solid var(--line); border-radius: 16px; background: var(--ground); color: var(--text); }
dialog::backdrop { background: rgb(10 14 22 / 55%); }
dialog p { margin-top: .5rem; }

/* One column: a phone, a narrow window, or a window at 400 %. */
@container (max-width: 44rem) {
  .steps { gap: 1.5rem; margin-top: 1.25rem; padding: 0; min-height: 0; }
  .scan { position: static; width: auto; }
  .plate { min-height: 0; } /* the picture has a border of its own */
  .plate img { image-rendering: auto; } /* It is made smaller here: smoothing keeps its modules alike. */
  .code-row > * { flex: 1 1 9rem; max-width: none; }
  #device { max-width: none; }
}
/* A phone: as little as can be stands above the field. */
.steps.phone { gap: 1.25rem; margin-top: 1rem; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
`;

let made;

/** The one style sheet of all elements. It is made when the first element is, since a server has none. */
export function sheet() {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(css);
  }
  return made;
}
