# SPDX-License-Identifier: MIT
# fish completion for ipcbusctl(1). Channels and ids are asked of the service, if it runs; nothing is said if not.

set -l commands list status channels send invoke send-sync send-to listen monitor top bench help

# The words before the cursor, without the options: the program, the command, its operands.
function __ipcbusctl_words
    set -l skip no
    set -l is_over no
    for word in (commandline --tokenize --current-process --cut-at-cursor)
        if test $skip = yes
            set skip no
        else if test $is_over = yes
            echo -- $word
        else
            switch $word
                case --
                    set is_over yes
                case -H -M --host --machine --address --name --json --timeout --auto-start --size --concurrency --duration --interval \
                        -n --iterations
                    set skip yes
                case '-*'
                case '*'
                    echo -- $word
            end
        end
    end
end

# The command is one of these, and is at the operand with this number; 0: any.
function __ipcbusctl_is_at
    set -l words (__ipcbusctl_words)
    contains -- "$words[2]" $argv[2..]; or return
    test $argv[1] -eq 0 -o (count $words) -eq (math $argv[1] + 1)
end

function __ipcbusctl_needs_command
    test (count (__ipcbusctl_words)) -lt 2
end

# The table of a command without its titles. Another machine is not asked: it may be far, and want a password.
function __ipcbusctl_ask
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    string match --quiet --regex -- '^(-H|-M|--host|--machine)' $words; and return
    set -l where (string match --regex -- '^--(?:user|system|name=.*|address=.*)$' $words)
    timeout 2 $words[1] $where --auto-start=no --timeout=0.5 $argv 2>/dev/null | tail -n +2
end

# Those that have (yes) or may have (.*) a listener and a handler.
function __ipcbusctl_channels
    __ipcbusctl_ask channels | string replace --filter --regex -- " *  $argv[1] *  $argv[2]\$" ''
end

# An id, and its title for those who look.
function __ipcbusctl_ids
    __ipcbusctl_ask list | string replace --filter --regex '^(\d+) +\S+ +\S+ +\S+ +\S+ *(.*)$' '$1\t$2'
end

complete -c ipcbusctl --no-files
complete -c ipcbusctl -n __ipcbusctl_needs_command -a list -d 'List the renderers'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a status -d 'Show one renderer, or the app'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a channels -d 'List the channels'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a send -d 'Run the listeners of a channel'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a invoke -d 'Call a handler and print its result'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a send-sync -d 'Run the listeners and print the answer'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a send-to -d 'Send a message to another renderer'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a listen -d 'Print the messages that come'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a monitor -d 'Print everything that goes by'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a top -d 'Show the busiest channels'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a bench -d 'Measure an app that has the module echo'
complete -c ipcbusctl -n __ipcbusctl_needs_command -a help -d 'Print help'

complete -c ipcbusctl -n '__ipcbusctl_is_at 1 status send-to' -a '(__ipcbusctl_ids)'
complete -c ipcbusctl -n '__ipcbusctl_is_at 1 invoke' -a '(__ipcbusctl_channels ".*" yes)'
complete -c ipcbusctl -n '__ipcbusctl_is_at 1 send send-sync' -a '(__ipcbusctl_channels yes ".*")'
complete -c ipcbusctl -n '__ipcbusctl_is_at 2 send-to' -a '(__ipcbusctl_channels ".*" ".*")'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 listen monitor' -a '(__ipcbusctl_channels ".*" ".*")'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 bench' -a 'invoke send send-sync'
complete -c ipcbusctl -n '__ipcbusctl_is_at 1 help' -a "$commands"

complete -c ipcbusctl -l user -d 'The bus of your session'
complete -c ipcbusctl -l system -d 'The system bus'
complete -c ipcbusctl -l address -x -d 'The bus at a D-Bus address'
complete -c ipcbusctl -s H -l host -x -a '(__fish_print_hostnames)' -d 'The system bus of another machine'
complete -c ipcbusctl -s M -l machine -x -d 'The bus of a container'
complete -c ipcbusctl -l name -x -d 'The bus name of the app'
complete -c ipcbusctl -l json -x -a 'short pretty off' -d 'How to print'
complete -c ipcbusctl -l timeout -x -d 'Seconds to wait for answers'
complete -c ipcbusctl -l auto-start -x -a 'yes no' -d 'Whether the bus may start the app'
complete -c ipcbusctl -l lane -d 'Send and listen by a private socket'
complete -c ipcbusctl -s h -l help -d 'Print help'
complete -c ipcbusctl -l version -d 'Print the version'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 bench' -l size -x -d 'Bytes that are sent'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 bench' -l concurrency -x -d 'How many are under way at once'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 bench' -l duration -x -d 'Seconds for each measurement'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 top' -l interval -x -d 'Seconds from one look to the next'
complete -c ipcbusctl -n '__ipcbusctl_is_at 0 top' -s n -l iterations -x -d 'How often to look'
