import { KurrentDBClient, streamNameFilter } from '@kurrent/kurrentdb-client'

const client = KurrentDBClient.connectionString(process.env.PARLEY_LOG)
const conversations = streamNameFilter({ prefixes: ['conversation-'] })

for await (const { event } of client.readAll({ filter: conversations })) {
  const { account, $correlationId, $causationId, bot } = event.metadata
  console.log(event.created.toISOString(), event.streamId, `${event.revision}`, event.type, account, bot, $correlationId, $causationId)
}
await client.dispose()
