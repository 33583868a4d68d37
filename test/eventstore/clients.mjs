// The clients of EventStoreDB and of KurrentDB, its newer name, with what they
// call differently.
import * as eventstore from '@eventstore/db-client'
import * as kurrent from '@kurrent/kurrentdb-client'

export const clients = [
  {
    name: '@kurrent/kurrentdb-client', ...kurrent,
    connect: (url) => kurrent.KurrentDBClient.connectionString(url.replace(/^esdb/, 'kurrentdb')),
    expecting: (state) => ({ streamState: state }),
    told: (e) => [e.expectedState, e.actualState],
  },
  {
    name: '@eventstore/db-client', ...eventstore,
    connect: (url) => eventstore.EventStoreDBClient.connectionString(url),
    expecting: (state) => ({ expectedRevision: state }),
    told: (e) => [e.expectedVersion, e.actualVersion],
  },
]

// collect reads what comes to its end.
export async function collect(read) {
  const all = []
  for await (const { event } of read) all.push(event)
  return all
}

// hear gives the events of a subscription until enough says that it has them,
// for ten seconds at most. then is called when the subscription has caught up.
export function hear(subscription, enough, then = () => {}) {
  return new Promise((resolve, reject) => {
    const heard = []
    let done = false
    const timer = setTimeout(() => end(reject, new Error(`only ${heard.length} events were heard`)), 10_000)
    const end = (how, what) => {
      done = true
      clearTimeout(timer)
      subscription.unsubscribe().then(() => how(what), reject)
    }
    subscription.on('data', ({ event }) => {
      if (done) return
      heard.push(event)
      if (enough(heard)) end(resolve, heard)
    })
    subscription.once('caughtUp', () => Promise.resolve(then()).catch((e) => end(reject, e)))
    subscription.on('error', (e) => { clearTimeout(timer); reject(e) })
  })
}
