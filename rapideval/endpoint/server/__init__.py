"""The local endpoint: a server that speaks the protocol of the hosted one, for model versions on this machine.

The way of a task, a module a step:

`app`, `run`
    settings -> an application behind the key -> a process that serves it.
`auth`, `bodies`, `refusals`, `routes`
    a request -> checked arguments, or an answer in the hosted service's words.
`tasks`, `store`
    arguments -> a task that is kept before its id is told, and survives the server.
`endpoints`, `workers`
    a task -> a worker process of its endpoint: started on demand, or always warm for production.
`worker`, `models`, `fetch`, `replay`
    inside that process: images loaded within bounds, the model called, its payload checked.
`metrics`
    how many, and how long.
"""
