// The control API of the fake Telegram.

import * as api from "../api.js";

const ROOT = "/sim/telegram";

/** Carry out a verb and return its result; throws an Error with the simulator's sentence. */
export const act = (verb, settings = {}) => api.act(verb, settings, ROOT);

/** Return a view such as state, history, taps, calls or updates. */
export const view = (name, settings = {}) => api.view(name, settings, ROOT);

/** Return the faults there are. */
export const faultKinds = () => api.faultKinds(ROOT);

/** Return whom a person can talk with: bots, and the groups the person is in. `key` names the chat in the simulator. */
export function chatsOf(state, person) {
  const bots = state.bots.map((bot) => ({ key: `${bot.bot_id}:${person.user_id}`, name: bot.name, bot, where: { bot_id: bot.bot_id } }));
  const groups = state.groups
    .filter((group) => !group.migrated_to && group.members.some(({ id, status }) => id === person.user_id && !["left", "kicked"].includes(status)))
    .map((group) => ({ key: group.chat_id, name: group.title, group, where: { chat_id: group.chat_id } }));
  return [...bots, ...groups];
}
