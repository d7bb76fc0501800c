# SPDX-License-Identifier: Apache-2.0
# Completion for fish (3.1 and later). What is offered is `paribus complete`'s to say; nothing of it is ever evaluated.

set -g __paribus_script (status filename)

function __paribus_complete
    set -l program (command -s paribus)
    or set program (string replace -r '/share/.*' '/bin/paribus' -- $__paribus_script)
    set -l before (commandline -opc)
    set -e before[1]
    set -l word (string unescape -- (commandline -ct)) # no quotes, and nothing expanded
    set -l answer ($program complete words $before "$word" 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path (commandline -ct)
        case '*'
            set -e answer[1]
            printf '%s\n' $answer
    end
end

complete -c paribus -f -a '(__paribus_complete)'
