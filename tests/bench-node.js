// SPDX-License-Identifier: MIT
// Node's IPC between a process and its child: what an Electron developer would reach for outside Electron. The parent
// does what its standard input says, a line each ("invoke N", "send N"), and answers a line when it is done.
'use strict';
const { fork } = require('child_process');
const { createInterface } = require('readline');

function serve() {
    let n = 0;
    process.on('message', (message) => {
        if (message.channel === 'echo') {
            process.send(message.args);
        } else if (++n === message.last) {
            n = 0;
            process.send([]);
        }
    });
}

function perform(size) {
    const child = fork(__filename, ['serve']);
    const args = ['x'.repeat(size)];
    let left = 0;

    child.on('message', (answer) => {
        if (answer.length === 1 && answer[0].length !== size)
            process.exit(1);
        if (--left > 0)
            child.send({ channel: 'echo', args });
        else
            console.log('done');
    });
    child.on('exit', () => process.exit(1));
    createInterface({ input: process.stdin }).on('line', (line) => {
        const [act, n] = line.split(' ');
        left = act === 'invoke' ? Number(n) : 1;
        if (act === 'invoke')
            child.send({ channel: 'echo', args });
        else
            for (let i = 0; i < Number(n); i++)
                child.send({ channel: 'sent', args, last: Number(n) });
    }).on('close', () => process.exit(0));
    console.log('ready');
}

if (process.argv[2] === 'serve')
    serve();
else
    perform(Number(process.argv[2]));
