import { SignInError } from '../cognito.js';
import { clone, once, parts, say } from '../view.js';

/** User, password and pool. Shows why when a person was sent here. */
export function signIn(view, { who, notice, demo, cognito, go }) {
  const part = parts(view);
  say(part.reason, notice.reason);
  part.pools.replaceChildren(...demo.pools.map((pool) => poolChoice(pool, pool.clientId === (who.clientId ?? demo.pools[0].clientId))));
  part.users.textContent = `One of ${demo.users.join(', ')}.`;
  part.form.elements.username.value = who.username ?? demo.users[0];
  part.form.elements.password.value = demo.password;

  part.form.addEventListener('submit', (event) => event.preventDefault());
  part.form.addEventListener('submit', once(async () => {
    say(part.error);
    part.submit.setAttribute('aria-disabled', 'true');
    const { pool: clientId, username, password } = Object.fromEntries(new FormData(part.form));
    try {
      const reply = await cognito({ clientId, username, password });
      go({ clientId, username, ...reply }, { codeReusableAt: notice.codeReusableAt });
    } catch (error) {
      say(part.error, error instanceof SignInError ? error.message : 'The sign-in service cannot be reached. Is the demo still running?');
    } finally {
      part.submit.removeAttribute('aria-disabled');
    }
  }));
}

function poolChoice(pool, checked) {
  const choice = clone('pool-choice');
  const part = parts(choice);
  part.name.textContent = pool.name;
  part.text.textContent = pool.text;
  Object.assign(choice.querySelector('input'), { value: pool.clientId, checked });
  return choice;
}
