using System.Management.Automation;
using System.Xml.Linq;

namespace McpSm.Help;

/// <summary>The MAML file with the help of the cmdlets: the texts come from the pages, the syntax from PowerShell.</summary>
internal sealed class Maml
{
    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace M = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace C = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace D = "http://schemas.microsoft.com/maml/dev/2004/10";

    // The texts for parameters that every cmdlet with SupportsShouldProcess has.
    private static readonly Dictionary<string, IReadOnlyList<string>> Common = new()
    {
        ["WhatIf"] = ["Shows what the cmdlet would do, and changes nothing."],
        ["Confirm"] = ["Asks for confirmation before each change."],
    };

    private readonly XElement _items = new(Msh + "helpItems", new XAttribute("schema", "maml"),
        new XAttribute(XNamespace.Xmlns + "maml", M), new XAttribute(XNamespace.Xmlns + "command", C), new XAttribute(XNamespace.Xmlns + "dev", D));

    /// <summary>Adds the help of a command.</summary>
    /// <exception cref="FormatException">The page does not match the command: its name, its parameters or the number of examples.</exception>
    public void Add(CommandInfo command, CommandPage page)
    {
        var sets = command.ParameterSets.Where(s => s.Parameters.Any(IsOwnParameter) || command.ParameterSets.Count == 1)
            .OrderByDescending(s => s.IsDefault).ToList();
        var parameters = sets.SelectMany(s => s.Parameters).Where(IsOwnParameter).GroupBy(p => p.Name).Select(g => g.First()).ToList();
        Require(page.Name == command.Name, $"the heading must be {command.Name}.");
        Require(page.Synopsis.Count == 1, "SYNOPSIS must have one paragraph.");
        Require(page.Examples.Count >= 2, "at least two examples are required.");
        foreach (var unknown in page.Parameters.Keys.Except(parameters.Select(p => p.Name)))
        {
            throw new FormatException($"{command.Name} does not have the parameter -{unknown}.");
        }
        foreach (var missing in parameters.Where(p => DescriptionOf(p, page) is not { Count: > 0 }))
        {
            throw new FormatException($"the description of -{missing.Name} is missing.");
        }
        var (verb, noun) = (command.Name.Split('-')[0], command.Name.Split('-')[1]);
        _items.Add(new XElement(C + "command",
            new XElement(C + "details", new XElement(C + "name", command.Name), new XElement(C + "verb", verb), new XElement(C + "noun", noun),
                Text(M + "description", page.Synopsis)),
            Text(M + "description", page.Description),
            new XElement(C + "syntax", sets.Select(set => new XElement(C + "syntaxItem", new XElement(M + "name", command.Name),
                set.Parameters.Where(IsOwnParameter).OrderBy(p => p.Position < 0 ? int.MaxValue : p.Position).ThenByDescending(p => p.IsMandatory)
                    .Select(p => Parameter(p, page))))),
            new XElement(C + "parameters", parameters.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => Parameter(p, page))),
            new XElement(C + "inputTypes",
                parameters.Where(p => p.ValueFromPipeline).Select(p => TypeElement(C + "inputType", TypeName(p.ParameterType), $"By value, for -{p.Name}."))),
            new XElement(C + "returnValues", command.OutputType.Select(t => TypeElement(C + "returnValue", t.Name.Split('.')[^1], ""))),
            page.Notes.Count == 0 ? null : new XElement(M + "alertSet", Text(M + "alert", page.Notes)),
            new XElement(C + "examples", page.Examples.Select((example, i) => new XElement(C + "example",
                new XElement(M + "title", $"----------  Example {i + 1}: {example.Title}  ----------"), new XElement(D + "code", example.Code),
                // Without empty lines Get-Help shows the next title on the last line of this example.
                Text(D + "remarks", [.. example.Remarks, "", ""])))),
            new XElement(C + "relatedLinks", Link("Online", HelpUri(command)), page.Links.Select(l => Link(l, "")))));
    }

    public void Save(string path) => new XDocument(_items).Save(path);

    /// <summary>Returns the online address of a page. A simple function has no HelpUri, so it is derived from that of a cmdlet.</summary>
    private static string HelpUri(CommandInfo command) => command is CmdletInfo cmdlet
        ? new CommandMetadata(cmdlet).HelpUri
        : new Uri(new Uri(HelpUri(command.Module.ExportedCmdlets.Values.First())), command.Name + ".md").AbsoluteUri;

    private static bool IsOwnParameter(CommandParameterInfo parameter) =>
        !Cmdlet.CommonParameters.Contains(parameter.Name);

    private static IReadOnlyList<string>? DescriptionOf(CommandParameterInfo parameter, CommandPage page) =>
        page.Parameters.GetValueOrDefault(parameter.Name) ?? Common.GetValueOrDefault(parameter.Name);

    private static XElement Parameter(CommandParameterInfo parameter, CommandPage page)
    {
        var isSwitch = parameter.ParameterType == typeof(SwitchParameter);
        var pipeline = (parameter.ValueFromPipeline, parameter.ValueFromPipelineByPropertyName) switch
        {
            (true, true) => "true (ByValue, ByPropertyName)",
            (true, _) => "true (ByValue)",
            (_, true) => "true (ByPropertyName)",
            _ => "false",
        };
        var values = parameter.Attributes.OfType<ValidateSetAttribute>().SelectMany(v => v.ValidValues).ToList();
        var description = DescriptionOf(parameter, page)!;
        return new XElement(C + "parameter",
            new XAttribute("required", parameter.IsMandatory ? "true" : "false"),
            new XAttribute("variableLength", parameter.ParameterType.IsArray ? "true" : "false"),
            new XAttribute("globbing", parameter.Attributes.Any(a => a is SupportsWildcardsAttribute) ? "true" : "false"),
            new XAttribute("pipelineInput", pipeline),
            new XAttribute("position", parameter.Position < 0 ? "named" : $"{parameter.Position}"),
            new XAttribute("aliases", string.Join(", ", parameter.Aliases)),
            new XElement(M + "name", parameter.Name),
            Text(M + "description", values.Count == 0 ? description : [.. description, $"Values: {string.Join(", ", values)}."]),
            isSwitch
                ? null
                : new XElement(C + "parameterValue", new XAttribute("required", "true"), new XAttribute("variableLength", "false"),
                    TypeName(parameter.ParameterType)),
            new XElement(D + "type", new XElement(M + "name", TypeName(parameter.ParameterType)), new XElement(M + "uri")),
            new XElement(D + "defaultValue", isSwitch ? "False" : "None"));
    }

    private static string TypeName(Type type) => Nullable.GetUnderlyingType(type) is { } value ? TypeName(value) : type.Name;

    private static XElement TypeElement(XName name, string type, string description) =>
        new(name, new XElement(D + "type", new XElement(M + "name", type)), Text(M + "description", [description]));

    private static XElement Link(string text, string uri) =>
        new(M + "navigationLink", new XElement(M + "linkText", text), new XElement(M + "uri", uri));

    private static XElement Text(XName name, IReadOnlyList<string> paragraphs) => new(name, paragraphs.Select(p => new XElement(M + "para", p)));

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new FormatException(message);
        }
    }
}
