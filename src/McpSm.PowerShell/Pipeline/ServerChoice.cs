using System.Collections.ObjectModel;
using System.Management.Automation.Host;
using McpSm.Commands.Output;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Pipeline;

/// <summary>Which server a command is for, if none is named: the only one, or the one that a person chooses.</summary>
internal sealed class ServerChoice(McpCmdlet cmdlet, ConsoleAuthInteraction interaction)
{
    // One key each. The host takes the whole name too.
    private const string Keys = "123456789abcdefghijklmnopqrstuvwxyz";

    /// <exception cref="McpAuthException">ServerNotFound: there is no server. InteractionRequired: there are several, and nobody can answer.</exception>
    public McpServer Ask(IReadOnlyList<McpServer> all)
    {
        if (all.Count <= 1)
        {
            return all.Count == 1 ? all[0] : throw new McpAuthException(ErrorReason.ServerNotFound, "There are no servers yet.",
                "mcpsm add <name> --type http --url <url>");
        }
        if (!interaction.CanAnswer || !new HostInput(cmdlet).IsTerminal || all.Count > Keys.Length)
        {
            throw MustBeNamed(all);
        }
        try
        {
            return all[cmdlet.Host.UI.PromptForChoice("", "Which server?",
                new Collection<ChoiceDescription>([.. all.Select((s, i) => new ChoiceDescription($"&{Keys[i]} {s.Name}", UntrustedText.Sanitize(s.Url)))]), -1)];
        }
        catch (HostException)
        {
            // The host of a runspace that a program, a thread job or -Parallel opened takes no answers.
            throw MustBeNamed(all);
        }
    }

    private static McpAuthException MustBeNamed(IReadOnlyList<McpServer> all) => new(ErrorReason.InteractionRequired,
        $"There are several servers: {ServerLookup.Names(all)}.", "Say which one, with -Name.");
}
