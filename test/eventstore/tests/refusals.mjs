// What is not offered is refused in words, and at once.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clients, hear } from '../clients.mjs'
import { alone } from '../world.mjs'

for (const c of clients) {
  const client = c.connect(alone)
  after(() => client.dispose())

  test(`${c.name}: persistent subscriptions are not offered`, async () => {
    for (const attempt of [
      () => client.createPersistentSubscriptionToStream('a-1', 'g', c.persistentSubscriptionToStreamSettingsFromDefaults()),
      () => client.createPersistentSubscriptionToAll('g', c.persistentSubscriptionToAllSettingsFromDefaults()),
      () => client.listAllPersistentSubscriptions(),
      () => client.listPersistentSubscriptionsToStream('a-1'),
      () => client.getPersistentSubscriptionToStreamInfo('a-1', 'g'),
      () => hear(client.subscribeToPersistentSubscriptionToStream('a-1', 'g'), () => true),
    ]) {
      await assert.rejects(attempt, /offers no persistent subscriptions/)
    }
  })

  test(`${c.name}: projections are not offered`, async () => {
    await assert.rejects(client.getProjectionState('$by_category'), /offers no projections/)
  })
}
