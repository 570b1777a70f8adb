using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>An option that names the environment variable with a secret, so that the secret itself is not an argument.</summary>
internal sealed class SecretVariableOption : Option<string?>
{
    public SecretVariableOption(string name, string description) : base(name)
    {
        Description = description;
        HelpName = "NAME";
    }

    /// <summary>Returns the secret, or null if the option is absent.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the variable is not set.</exception>
    public string? Read(ParseResult parsed, CommandContext context) => parsed.GetValue(this) is not { } variable ? null
        : context.AppEnvironment.SecretVariable(variable)
            ?? throw new McpAuthException(ErrorReason.InvalidValue, $"The variable that {Name} names is not set.");
}
